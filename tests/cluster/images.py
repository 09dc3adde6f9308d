"""The images under test: the operator and the demo app, built without a network and loaded into the cluster."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import cache, nodeimage, rootfs, wheels
from tests.cluster.console import say, step
from tests.cluster.engine import Runtime
from tests.cluster.kindcluster import KindCluster
from tests.cluster.versions import REPOSITORY, pinned

BASE_PACKAGES = ("python3", "python3-venv", "ca-certificates")
IGNORED = {"__pycache__", "venv", "build", "dist", "wheels"}
KEPT = 3
TIME = 946_684_800  # any, but not before 1980, which zip files cannot tell


@dataclass(frozen=True)
class AppImage:
    """An image built from a directory of this repository.

    ``pins`` stands in for the directory's own requirements.txt; ``release`` is the version that its tag shows then.
    """

    name: str
    context: Path
    pins: Path | None = None
    release: str = ""

    @property
    def exists(self) -> bool:
        """Whether the checkout has what it takes to build it."""
        return (self.context / "Dockerfile").is_file() and self.requirements.is_file()

    @property
    def requirements(self) -> Path:
        """The file that pins what is installed."""
        return self.pins or self.context / "requirements.txt"

    @property
    def repository(self) -> str:
        """The image's name without a tag."""
        return f"localhost/chainlit-{self.name}"

    @property
    def reference(self) -> str:
        """The image's name, with a tag that changes whenever anything it is made of does."""
        parts = [part for name, file in self.files().items() for part in (name, file)]
        key = cache.key_of([*parts, *base_parts()])
        return f"{self.repository}:{self.version()}-{key}"

    def files(self) -> dict[str, Path]:
        """Return the files of the build context by their path in it, without what tools leave behind."""
        found: dict[str, Path] = {}
        for folder, folders, names in os.walk(self.context):
            folders[:] = sorted(
                name
                for name in folders
                if name not in IGNORED and not name.startswith(".") and not name.endswith(".egg-info")
            )
            for file in (Path(folder) / name for name in sorted(names) if not name.endswith(".pyc")):
                found[file.relative_to(self.context).as_posix()] = file
        return found | {"requirements.txt": self.requirements}

    def version(self) -> str:
        """Return the version that the tag shows."""
        if self.release:
            return self.release
        if self.name in {"demo", "runtime"}:
            return pinned().chainlit
        for file in sorted(self.context.glob("src/*/__init__.py")):
            if found := re.search(r'^__version__ = "([\w.]+)"', file.read_text(), re.MULTILINE):
                return found[1]
        return "dev"


OPERATOR = AppImage("operator", REPOSITORY / "operator")
DEMO = AppImage("demo", REPOSITORY / "tests" / "demo")
#: The app chart's default image, once the chart is packaged.
RUNTIME = AppImage("runtime", REPOSITORY / "charts" / "chainlit" / "image")

#: The demo app on older releases of Chainlit, by release.
RELEASES = {
    pins.parent.name: AppImage(f"demo-{pins.parent.name}", DEMO.context, pins, pins.parent.name)
    for pins in sorted((REPOSITORY / "tests" / "releases").glob("*/requirements.txt"))
}


def ensure(cluster: KindCluster, wanted: Iterable[AppImage] = (OPERATOR, DEMO)) -> None:
    """Build and load the images that the cluster has not got yet. Raises ClusterError."""
    for image in wanted:
        if not image.exists:
            say(f"    no {image.name} image: {image.context} has no Dockerfile with a requirements.txt")
            continue
        reference = image.reference
        if not cluster.has_image(reference):
            build(cluster.engine, image)
            load(cluster, reference)
        say(f"    {reference}")


def build(engine: Runtime, image: AppImage) -> None:
    """Build an image, unless the engine's store has it. Raises ClusterError."""
    reference = image.reference
    if not engine.has_image(reference):
        build_as(engine, image, reference)
        engine.keep_newest(reference, KEPT)


def build_as(engine: Runtime, image: AppImage, reference: str, *options: str) -> None:
    """Build an image by a name of its own, with options of the engine's command. Raises ClusterError."""
    registry = nodeimage.from_registry(engine)
    base = base_image(engine)
    house = None if registry else wheels.house(image.name, image.requirements)
    with tempfile.TemporaryDirectory(prefix=f"{image.name}-image-") as name, step(f"build {reference}"):
        context = Path(name)
        _copy_context(image, context, house)
        network = [] if registry else ["--network=none"]
        arguments = [f"--build-arg=BASE_IMAGE={base}", f"--tag={reference}", *network, *options]
        engine.run("build", *arguments, context, timeout=1200)


def load(cluster: KindCluster, reference: str) -> None:
    """Load an image from the engine's store into the cluster. Raises ClusterError."""
    with tempfile.TemporaryDirectory(prefix="load-") as name, step(f"load {reference}"):
        file = Path(name) / "image.tar"
        cluster.engine.run("save", f"--output={file}", reference, timeout=300)
        cluster.load_archive(file)


def base_parts() -> tuple[str, str]:
    """Return what the base of our images is made of, for the keys of what is built on it."""
    return rootfs.key(BASE_PACKAGES), pinned().python_image


def base_image(engine: Runtime) -> str:
    """Return the base of our images: a registry's, or a Debian with Python that stands in for it.

    Raises ClusterError.
    """
    if nodeimage.from_registry(engine):
        return pinned().python_image
    reference = f"localhost/chainlit-base:{rootfs.key(BASE_PACKAGES)}"
    if not engine.has_image(reference):
        rootfs.load(engine, rootfs.debian("base-rootfs", BASE_PACKAGES), reference)
    return reference


def _copy_context(image: AppImage, context: Path, house: Path | None) -> None:
    """Copy the build context, with its wheels; always with the same times, which layer caches look at."""
    for name, source in image.files().items():
        target = context / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    found = context / "wheels"
    if house is None:
        found.mkdir()
    else:
        shutil.copytree(house, found)
    for path in context.rglob("*"):
        os.utime(path, (TIME, TIME))
