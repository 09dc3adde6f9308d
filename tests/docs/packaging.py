"""What ``make package`` writes, as far as an installation needs it: no package index is asked."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.docs.blocks import TOP
from tests.release import home, package, plan, stamp


def write(into: Path) -> None:
    """Write install.yaml, crds.yaml and the archives of the charts to a directory. Raises ClusterError."""
    into.mkdir(exist_ok=True)
    made = stamp.Stamp(home.read(), plan.version())
    with tempfile.TemporaryDirectory(prefix="docs-package-") as name:
        for chart in (TOP / "charts").glob("*/Chart.yaml"):
            package.archive(stamp.chart(made, chart.parent.name, Path(name)), into)
        package.write(into / "install.yaml", package.install(Path(name) / "chainlit-operator", made.version))
    package.write(into / "crds.yaml", package.CRDS.read_text(encoding="utf-8"))
