"""The files of a release, in dist/: charts, install.yaml, crds.yaml, the Python package and the notes.

The same commit and the same images give the same bytes: times are those of the commit.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import shutil
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from tests.cluster import wheels
from tests.cluster.console import run, say
from tests.cluster.errors import ClusterError
from tests.cluster.versions import REPOSITORY
from tests.release import home, plan, stamp
from tests.release.stamp import Stamp
from tests.release.table import CHARTS, IMAGES

DIST = REPOSITORY / "dist"
CRDS = REPOSITORY / "charts/chainlit-operator/files/chainlitapps.yaml"
SETUPTOOLS = Path(__file__).with_name("setuptools.txt")
NAMESPACE = "chainlit-operator"
HEADER = """\
# The Chainlit operator {version} with its CustomResourceDefinition: kubectl apply --server-side -f install.yaml
# Made from the chart chainlit-operator, which has more settings.
---
apiVersion: v1
kind: Namespace
metadata:
  name: {namespace}
"""
_BUILD = "import sys, setuptools.build_meta as made; into = sys.argv[1]; made.build_sdist(into); made.build_wheel(into)"


def make(into: Path = DIST, found: home.Home | None = None) -> None:
    """Write all files of a release into a directory. Raises ClusterError."""
    into.mkdir(exist_ok=True)
    made = Stamp(found or home.read(), plan.version(), digests(into))
    with tempfile.TemporaryDirectory(prefix="package-") as name:
        work = Path(name)
        for chart in CHARTS:
            archive(stamp.chart(made, chart, work), into)
        write(into / "install.yaml", install(work / "chainlit-operator", made.version))
        python(made, work, into / "python")
    write(into / "crds.yaml", CRDS.read_text(encoding="utf-8"))
    write(into / "notes.md", plan.notes())
    say(f"    {into}: " + ", ".join(sorted(file.name for file in into.rglob("*") if file.is_file())))


def digests(into: Path) -> dict[str, str]:
    """Return the digests of the images that were pushed, which images/NAME holds. Raises ClusterError for others."""
    found = {image.name: into / "images" / image.name for image in IMAGES}
    read = {name: file.read_text(encoding="utf-8").strip() for name, file in found.items() if file.is_file()}
    for name, digest in read.items():
        if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
            raise ClusterError(f"{found[name]}: {digest!r} is no digest")
    return read


def epoch() -> int:
    """Return the time of what is made: SOURCE_DATE_EPOCH, else that of the commit. Raises ClusterError."""
    return int(os.environ.get("SOURCE_DATE_EPOCH") or run(["git", "log", "-1", "--format=%ct"], cwd=REPOSITORY))


def archive(chart: Path, into: Path) -> Path:
    """Write the archive of a chart and return it; helm takes times from the files. Raises ClusterError."""
    moment = epoch()
    for path in [chart, *chart.rglob("*")]:
        os.utime(path, (moment, moment))
    said = run(["helm", "package", chart, "--destination", into])
    file = Path(said.strip().rpartition(": ")[2])
    os.utime(file, (moment, moment))  # `helm push` writes it into the manifest
    return file


def install(chart: Path, version: str) -> str:
    """Return the operator as one file for kubectl. Raises ClusterError."""
    options = ["--namespace", NAMESPACE, "--skip-tests"]
    rendered = run(["helm", "template", "chainlit-operator", chart, *options])
    # Nothing here is managed by Helm.
    rendered = re.sub(r"(?m)^ *app\.kubernetes\.io/managed-by: Helm\n", "", rendered)
    return HEADER.format(version=version, namespace=NAMESPACE) + rendered


def python(made: Stamp, work: Path, into: Path) -> None:
    """Write the source and the wheel of the operator's Python package. Raises ClusterError."""
    source = work / "operator"
    shutil.copytree(
        REPOSITORY / "operator", source, ignore=shutil.ignore_patterns("*.egg-info", "__pycache__", "wheels")
    )
    urls = f'\n[project.urls]\nHomepage = "{made.home.url}"\nChangelog = "{made.url("CHANGELOG.md")}"\n'
    stamp.edit(source / "pyproject.toml", lambda text: text + urls)
    stamp.edit(source / "README.md", lambda text: stamp.links(made, "operator", text))
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir()
    with tempfile.TemporaryDirectory(prefix="setuptools-") as name:
        with zipfile.ZipFile(wheels.fetch(SETUPTOOLS, Path(name))) as wheel:
            wheel.extractall(name)
        environment = {"PYTHONPATH": name, "SOURCE_DATE_EPOCH": str(epoch()), "PYTHONHASHSEED": "0"}
        run([sys.executable, "-c", _BUILD, into], cwd=source, env=environment)
    for file in into.glob("*.tar.gz"):
        repack(file, epoch())


def repack(file: Path, moment: int) -> None:
    """Write a .tar.gz again with one time, one owner and sorted names."""
    out = io.BytesIO()
    with tarfile.open(file) as old, tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as new:
        for member in sorted(old.getmembers(), key=lambda member: member.name):
            member.mtime, member.uid, member.gid, member.uname, member.gname = moment, 0, 0, "", ""
            member.pax_headers = {}
            new.addfile(member, old.extractfile(member) if member.isfile() else None)
    file.write_bytes(gzip.compress(out.getvalue(), mtime=moment))


def write(file: Path, text: str) -> None:
    """Write a text file with the time of the release."""
    file.write_text(text, encoding="utf-8")
    os.utime(file, (epoch(), epoch()))
