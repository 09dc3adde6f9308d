"""Debian root file systems, for machines where no registry serves the images that would be used elsewhere."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.cluster import apt, cache
from tests.cluster.archive import architecture
from tests.cluster.console import run, step
from tests.cluster.engine import Runtime
from tests.cluster.errors import ClusterError
from tests.cluster.versions import pinned

ARCHIVE = "rootfs.tar"
UNUSED = (
    "var/cache/apt",
    "var/lib/apt/lists",
    "var/log",
    "var/cache/debconf",
    "usr/share/doc",
    "usr/share/man",
    "usr/share/info",
    "usr/share/locale",
    "etc/resolv.conf",
    "etc/hostname",
)


def key(packages: Sequence[str]) -> str:
    """Return the key of a root file system with these packages."""
    return cache.key_of([pinned().node_suite, architecture(), *packages, Path(__file__)])


def debian(name: str, packages: Sequence[str]) -> Path:
    """Return the archive of a root file system that has these packages. Raises ClusterError."""
    return cache.entry(name, key(packages), lambda into: _bootstrap(packages, into)) / ARCHIVE


def mirror() -> str:
    """Return the Debian mirror to build from. Raises ClusterError where nothing can be built on this machine."""
    if os.geteuid() != 0:
        raise ClusterError(
            "building images from source needs root; where an image registry is in reach, NODE_IMAGE=registry spares it"
        )
    return apt.debian_mirror()


def _bootstrap(packages: Sequence[str], into: Path) -> None:
    source = mirror()
    apt.require({"debootstrap": "debootstrap"}, "Building images from source")
    root = into / "root"
    run(
        [
            "debootstrap",
            "--variant=minbase",
            f"--keyring={apt.ARCHIVE_KEYRING}",
            f"--include={','.join(packages)}",
            pinned().node_suite,
            root,
            source,
        ],
        timeout=1200,
    )
    for unused in UNUSED:
        path = root / unused
        if path.is_dir():
            shutil.rmtree(path)
            path.mkdir()
        else:
            path.unlink(missing_ok=True)
    (root / "var/lib/apt/lists/partial").mkdir(parents=True)
    pack(root, into / ARCHIVE)
    cache.remove_tree(root)


def pack(root: Path, archive: Path) -> None:
    """Archive a root file system; devices are left to the engine. Raises ClusterError."""
    run(
        ["tar", "--numeric-owner", "--one-file-system", "--exclude=./dev/*", "-C", root, "-cf", archive, "."],
        timeout=600,
    )


def unpack(archive: Path, root: Path) -> None:
    """Unpack a root file system. Raises ClusterError."""
    root.mkdir()
    run(["tar", "--numeric-owner", "-C", root, "-xpf", archive], timeout=600)


def load(engine: Runtime, archive: Path, reference: str, changes: Sequence[str] = ()) -> None:
    """Make a root file system an image in the engine's store, unless it is one there. Raises ClusterError."""
    if engine.has_image(reference):
        return
    with step(f"{reference} into {engine.command}"):
        options = [word for change in changes for word in ("--change", change)]
        engine.run("import", *options, archive, reference, timeout=600)
    engine.keep_newest(reference, 1)
