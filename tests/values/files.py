"""The values files of the directories beside this file, named after the chart that each is for."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.charts.generated import CHARTS
from tests.charts.rendering import Object, helm, load_all

HERE = Path(__file__).parent
#: Directory → release and namespace. Files for a parent chart have the values of the app's chart below its name.
RELEASES = {"chainlit": ("chat", "demo"), "chainlit-operator": ("op", "system"), "umbrella": ("product", "demo")}
PARENT = """\
apiVersion: v2
name: umbrella
version: 1.0.0
"""


@dataclass(frozen=True, slots=True)
class ValuesFile:
    """A file; ``title`` is its first line, a sentence about the team that has it."""

    path: Path
    title: str

    @property
    def chart(self) -> str:
        """The chart, or ``umbrella`` for a chart that contains the app's."""
        return self.path.parent.name

    @property
    def name(self) -> str:
        """The name of the file in this directory, without its ending."""
        return f"{self.chart}/{self.path.stem}"

    @property
    def namespace(self) -> str:
        """The namespace of the release."""
        return RELEASES[self.chart][1]

    def objects(self) -> tuple[Object, ...]:
        """Return the objects that the chart makes of it. Raises Refused."""
        return _rendered(self.path)

    def __str__(self) -> str:
        return self.name


def files() -> list[ValuesFile]:
    """Return all values files."""
    found = [path for chart in RELEASES for path in sorted((HERE / chart).glob("*.yaml"))]
    return [ValuesFile(path, path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")) for path in found]


@cache
def _rendered(path: Path) -> tuple[Object, ...]:
    release, namespace = RELEASES[path.parent.name]
    with tempfile.TemporaryDirectory(prefix="values-") as work:
        chart = chart_of(path.parent.name, Path(work))
        text = helm("template", release, str(chart), "--namespace", namespace, "--values", str(path))
    return tuple(load_all(text))


def chart_of(name: str, work: Path) -> Path:
    """Return the directory of a chart; a parent chart is made in the empty directory ``work``."""
    if name != "umbrella":
        return CHARTS / name
    shutil.copytree(CHARTS / "chainlit", work / "charts/chainlit")
    (work / "Chart.yaml").write_text(PARENT, encoding="utf-8")
    return work
