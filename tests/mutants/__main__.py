"""Mutation tests: is there a test that notices each small change of a decision or of a decoder?

    python -m tests.mutants [MODULE …]

mutmut changes the functions of ``domain``, ``kinds`` and ``ingress_controllers`` one by one, in a copy of the
repository, and runs the tests of these packages that reach the changed function until one fails. It prints each change
that no test noticed, unless explained.toml says why none can. The last line is the share of the changes that were
noticed, which must be 97 % at least.

A module is named by its path, such as ``resolution/rules``, ``kinds/service`` or ``kinds/routes``. Only the modules
named are changed then, which takes a minute or two.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.mutants.survivors import EXPLAINED, Survivor, change, explanations, unexplained

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCE = REPOSITORY / "operator/src/chainlit_operator"
PACKAGES = ("domain", "kinds", "ingress_controllers")
WANTED = 97.0

#: mutmut wants the sources in ``src`` and its settings in pyproject.toml. It does not change records, enums, and
#: the registry of kinds, which runs once, when it is imported.
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
do_not_mutate = ["*/__init__.py", "*/domain/model/*", "*/reasons.py", "*/kinds/registry.py"]
also_copy = ["src", "docs", "charts"]
pytest_add_cli_args = ["-p", "no:cacheprovider", "-p", "no:xdist"]
pytest_add_cli_args_test_selection = {tests}
"""


def main(modules: list[str]) -> int:
    """Change all modules, or those named; the exit status is 1 where too few changes are noticed."""
    patterns = [pattern for module in modules for pattern in patterns_of(module)]
    with tempfile.TemporaryDirectory(prefix="mutants-") as directory:
        stage = Path(directory)
        prepare(stage, patterns or [f"{package}/*" for package in PACKAGES])
        mutmut(stage, "run", "--max-children", "1")
        mutmut(stage, "export-cicd-stats")
        counts = json.loads((stage / "mutants/mutmut-cicd-stats.json").read_text(encoding="utf-8"))
        found = list(survivors(stage))
    left, idle = unexplained(found, explanations())
    for one in left:
        print(f"not explained: {one.module} {one.function}: {one.change}")
    if not modules:
        print("".join(f"explains nothing: {text}\n" for text in idle), end="")
    total, noticed = counts["total"], counts["killed"] + counts["timeout"]
    share = 100 * noticed / total
    print(f"{len(left)} of {total - noticed} survivors are not explained in {EXPLAINED.relative_to(REPOSITORY)}")
    print(f"mutants killed: {noticed} of {total}, {share:.1f} % (at least {WANTED:g} % wanted)")
    return 0 if share >= WANTED else 1


def patterns_of(module: str) -> list[str]:
    """Return the files and directories that a name stands for, relative to the source; ends the program for none."""
    places = [module, *(f"{package}/{module}" for package in PACKAGES)]
    found = [f"{place}.py" for place in places if (SOURCE / f"{place}.py").is_file()]
    found += [f"{place}/*" for place in places if (SOURCE / place).is_dir()]
    found = [place for place in found if place.startswith(tuple(f"{package}/" for package in PACKAGES))]
    return found or sys.exit(f"{module} is no module of {', '.join(PACKAGES)}")


def prepare(stage: Path, patterns: Sequence[str]) -> None:
    """Copy what is needed to ``stage``, to change the modules there that the patterns match."""
    ignored = shutil.ignore_patterns("__pycache__", "artifacts", ".hypothesis")
    for source, name in (("operator/src", "src"), ("tests", "tests"), ("docs", "docs"), ("charts", "charts")):
        shutil.copytree(REPOSITORY / source, stage / name, ignore=ignored)
    tests = [f"tests/unit/{package}" for package in PACKAGES if (REPOSITORY / "tests/unit" / package).is_dir()]
    changed = json.dumps([f"src/{SOURCE.name}/{pattern}" for pattern in patterns])
    settings = SETTINGS.replace("{modules}", changed).replace(
        "{tests}", json.dumps([*tests, "tests/unit/test_route_forms.py"])
    )
    (stage / "pyproject.toml").write_text(settings, encoding="utf-8")


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
            yield Survivor(name, change(old, new))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
