"""What the operator is made of: pinned, of a licence that may be passed on, and each direct one with its reason."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

REPOSITORY = Path(__file__).resolve().parents[2]
LOCKED = sorted(path for path in REPOSITORY.glob("**/requirements.txt") if ".venv" not in path.parts)
OPERATOR = (REPOSITORY / "operator/requirements.txt").read_text(encoding="utf-8")

#: Licences, however a package spells them, that ask for no more than a notice; MPL-2.0 for changes to its own files.
LICENCES = re.compile(
    r"(Apache([ -]2\.0| Software License)|MIT( License)?|BSD([ -][23]-Clause| License)?|ISC|PSF-2\.0|MPL-2\.0)"
)
PINNED = re.compile(r"[a-z0-9][a-z0-9._-]*==[^\s]+( ;[^-]*)?\s+(--hash=sha256:[0-9a-f]{64}\s*)+$")


def entries(text: str) -> list[str]:
    """The requirements of a file, each with its hashes."""
    joined = text.replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]


@pytest.mark.parametrize("path", LOCKED, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_pinned_with_hashes(path: Path) -> None:
    found = entries(path.read_text(encoding="utf-8"))
    assert found
    for entry in found:
        assert PINNED.match(entry), entry[:80]


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize("place", ["operator", "tests"])
def test_what_the_pinned_need_is_pinned_whatever_the_python(place: str, python: str) -> None:
    text = (REPOSITORY / place / "requirements.txt").read_text(encoding="utf-8")
    pinned = dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", text, re.MULTILINE))
    surroundings = {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
    for name in pinned:
        for needed in map(Requirement, metadata.requires(name) or []):
            if needed.marker is None or needed.marker.evaluate(surroundings):
                version = pinned.get(re.sub(r"[-_.]+", "-", needed.name).lower())
                assert version is not None and needed.specifier.contains(version), f"{name} needs {needed}"


def test_licences() -> None:
    for name in re.findall(r"^([a-z0-9._-]+)==", OPERATOR, re.MULTILINE):
        told: Mapping[str, str] = metadata.metadata(name).json  # type: ignore[assignment]
        classified = [each.rpartition(" :: ")[2] for each in told.get("classifier", ()) if "OSI Approved" in each]
        licence = told.get("license_expression") or told.get("license") or " AND ".join(classified)
        assert licence, name
        for part in licence.split(" AND "):
            assert LICENCES.fullmatch(part), f"{name}: {licence}"


def test_each_direct_one_is_declared_locked_and_has_its_reason() -> None:
    pyproject = (REPOSITORY / "operator/pyproject.toml").read_text(encoding="utf-8")
    declared = re.findall(r'^  "([a-z0-9-]+)>=', pyproject, re.MULTILINE)
    direct = (REPOSITORY / "operator/requirements.in").read_text(encoding="utf-8").split()
    readme = (REPOSITORY / "operator/README.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `([a-z0-9-]+)` \|", readme.partition("## Dependencies")[2], re.MULTILINE)
    assert declared and declared == sorted(declared) == sorted(direct) == sorted(table)
    assert all(f"\n{name}==" in f"\n{OPERATOR}" for name in direct)
