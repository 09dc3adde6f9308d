"""Mutation tests of the pure core: is there a test that notices each small change of a decision?

    python -m tests.mutants [MODULE …]

mutmut changes the functions of ``chainlit_operator.domain`` one by one, in a copy of the repository, and runs the tests
of the domain that reach the changed function until one fails. What no test noticed is printed, unless README.md beside
this file explains it; the last line is the share of the changes that were noticed, which must be 90 % at least. Where
modules are named, such as ``template status``, only those are changed, which takes a minute or two.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parents[2]
EXPLAINED = Path(__file__).with_name("README.md")
DOMAIN = "chainlit_operator/domain"
WANTED = 90.0

#: mutmut wants the sources in ``src`` and takes its settings from pyproject.toml.
SETTINGS = """
[tool.pytest.ini_options]
pythonpath = ["src", "."]
addopts = ["--import-mode=importlib", "--strict-markers"]
asyncio_mode = "auto"
asyncio_default_fixture_loop_scope = "function"
markers = ["slow: in `make test-all` only"]
filterwarnings = ["error"]

[tool.mutmut]
source_paths = ["src"]
only_mutate = {modules}
do_not_mutate = ["*/__init__.py", "*/model.py", "*/reasons.py"]
also_copy = ["src", "docs"]
pytest_add_cli_args = ["-p", "no:cacheprovider", "-p", "no:xdist"]
pytest_add_cli_args_test_selection = ["tests/unit/domain", "tests/unit/test_route_forms.py"]
"""


class Survivor(NamedTuple):
    """A change that no test noticed."""

    name: str
    old: str
    new: str

    @property
    def is_explained(self) -> bool:
        """Whether README.md has the changed line."""
        return f"`{self.new}`" in EXPLAINED.read_text(encoding="utf-8")


def main(modules: list[str]) -> int:
    """Run them all, or those of some modules; the exit status is 1 where too few are noticed."""
    for module in modules:
        if not (REPOSITORY / "operator/src" / DOMAIN / f"{module}.py").is_file():
            sys.exit(f"{module} is no module of {DOMAIN}")
    with tempfile.TemporaryDirectory(prefix="mutants-") as directory:
        stage = Path(directory)
        prepare(stage, modules)
        mutmut(stage, "run", "--max-children", "1")
        mutmut(stage, "export-cicd-stats")
        counts = json.loads((stage / "mutants/mutmut-cicd-stats.json").read_text(encoding="utf-8"))
        left = [found for found in survivors(stage) if not found.is_explained]
    for found in left:
        print(f"not explained: {found.name}\n  - {found.old}\n  + {found.new}")
    total, noticed = counts["total"], counts["killed"] + counts["timeout"]
    share = 100 * noticed / total
    print(f"{len(left)} of {total - noticed} survivors are not explained in {EXPLAINED.relative_to(REPOSITORY)}")
    print(f"mutants killed: {noticed} of {total}, {share:.1f} % (at least {WANTED:g} % wanted)")
    return 0 if share >= WANTED else 1


def prepare(stage: Path, modules: list[str]) -> None:
    """Copy what is needed to ``stage``, to change ``modules`` there; empty for all."""
    ignored = shutil.ignore_patterns("__pycache__", "artifacts", ".hypothesis")
    for source, name in (("operator/src", "src"), ("tests", "tests"), ("docs", "docs")):
        shutil.copytree(REPOSITORY / source, stage / name, ignore=ignored)
    changed = json.dumps([f"src/{DOMAIN}/{module}.py" for module in modules] or [f"src/{DOMAIN}/*"])
    (stage / "pyproject.toml").write_text(SETTINGS.replace("{modules}", changed), encoding="utf-8")


def mutmut(stage: Path, *arguments: str) -> str:
    """Run mutmut and return what it says; ends with its output where it fails."""
    command = [sys.executable, "-m", "mutmut", *arguments]
    done = subprocess.run(command, cwd=stage, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"mutmut {arguments[0]}: {done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def survivors(stage: Path) -> Iterator[Survivor]:
    """What no test noticed, or reached."""
    for line in mutmut(stage, "results").splitlines():
        name, _, outcome = line.strip().partition(": ")
        if outcome in ("survived", "no tests", "suspicious"):
            shown = mutmut(stage, "show", name).splitlines()
            old, new = (
                " ".join(
                    found[1:].strip() for found in shown if found.startswith(mark) and not found.startswith(mark * 3)
                )
                for mark in "-+"
            )
            yield Survivor(name, old, new)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
