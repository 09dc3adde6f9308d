"""Virtual environments with releases of Chainlit: that of the demo's image, and those of tests/releases."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.cluster import cache
from tests.cluster.console import run
from tests.cluster.versions import REPOSITORY
from tests.releases import CURRENT


def python(release: str) -> Path:
    """The Python of an environment that has this release, made once. Raises ClusterError."""
    pins = REPOSITORY / ("tests/demo" if release == CURRENT else f"tests/releases/{release}") / "requirements.txt"

    def build(into: Path) -> None:
        run([sys.executable, "-m", "venv", str(into)])
        options = ["--quiet", "--disable-pip-version-check", "--require-hashes", f"--requirement={pins}"]
        run([str(into / "bin/python"), "-m", "pip", "install", *options])

    return cache.entry("chainlit-python", cache.key_of([pins, sys.version]), build) / "bin/python"
