"""Wheelhouses: everything a requirements file pins, as wheels, for image builds without a network."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tests.cluster import cache
from tests.cluster.archive import architecture
from tests.cluster.console import run
from tests.cluster.errors import ClusterError
from tests.cluster.versions import pinned


def interpreter() -> str:
    """Return a Python of the version that the images have. Raises ClusterError when there is none."""
    wanted = pinned().python
    if f"{sys.version_info.major}.{sys.version_info.minor}" == wanted:
        return sys.executable
    found = shutil.which(f"python{wanted}")
    if found is None:
        raise ClusterError(f"Python {wanted} is needed to prepare wheels for images built without a registry")
    return found


def house(name: str, requirements: Path) -> Path:
    """Return a directory with the wheels of all that a requirements file pins, checked against its hashes.

    Raises ClusterError.
    """
    key = cache.key_of([requirements, pinned().python, architecture(), Path(__file__)])

    def build(into: Path) -> None:
        options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
        run([interpreter(), "-m", "pip", "wheel", *options, f"--requirement={requirements}", f"--wheel-dir={into}"])

    return cache.entry(f"{name}-wheels", key, build)


def fetch(requirements: Path, into: Path) -> Path:
    """Fetch the wheel that a requirements file pins by hash, for Linux, and return its path. Raises ClusterError."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(architecture(), architecture())
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "--only-binary=:all:"]
    baselines = ("manylinux2014", "manylinux_2_24", "manylinux_2_28", "manylinux_2_31")
    platforms = [f"--platform={baseline}_{machine}" for baseline in baselines]
    download = [sys.executable, "-m", "pip", "download", *options, *platforms]
    run([*download, f"--requirement={requirements}", f"--dest={into}"])
    return next(into.glob("*.whl"))
