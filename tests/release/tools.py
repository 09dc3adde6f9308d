"""The programs that make and check a release, in their pinned versions."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from pathlib import Path

from tests.cluster import cache, golang, wheels
from tests.cluster.tools import from_module
from tests.cluster.versions import pinned

HERE = Path(__file__).parent
ZIZMOR = HERE / "zizmor.txt"
REGISTRY = HERE / "programs/registry/main.go"


def actionlint() -> Path:
    """Return the program that checks workflows of GitHub. Raises ClusterError."""
    module = "github.com/rhysd/actionlint"
    return from_module("actionlint", module, f"{module}/cmd/actionlint", pinned().actionlint)


def zizmor() -> Path:
    """Return the program that looks for weaknesses in workflows of GitHub. Raises ClusterError."""

    def build(into: Path) -> None:
        with tempfile.TemporaryDirectory(prefix="zizmor-") as name:
            work = Path(name)
            with zipfile.ZipFile(wheels.fetch(ZIZMOR, work)) as wheel:
                member = next(entry for entry in wheel.namelist() if entry.endswith("/scripts/zizmor"))
                shutil.copyfile(wheel.extract(member, work), into / "zizmor")
        (into / "zizmor").chmod(0o755)

    return cache.entry("zizmor", cache.key_of([ZIZMOR]), build) / "zizmor"


def registry() -> Path:
    """Return the program of a registry that keeps what it has in a directory. Raises ClusterError."""
    main, required = (
        REGISTRY.read_text(encoding="utf-8"),
        {"github.com/distribution/distribution/v3": pinned().distribution},
    )

    def build(into: Path) -> None:
        with tempfile.TemporaryDirectory(prefix="registry-") as work:
            go = f"go {golang.OLDEST[0]}.{golang.OLDEST[1]}.0"
            golang.build(Path(work), into, ["."], requires=required, directives=[go], main=main)

    (program,) = cache.entry("registry", cache.key_of([main, pinned().distribution]), build).iterdir()
    return program


def crane() -> Path:
    """Return the program that pushes images and reads what a registry has. Raises ClusterError."""
    module = "github.com/google/go-containerregistry"
    return from_module("crane", module, f"{module}/cmd/crane", pinned().crane)


def cosign() -> Path:
    """Return the program that signs and verifies what a registry has. Raises ClusterError."""
    module = "github.com/sigstore/cosign/v3"
    return from_module("cosign", module, f"{module}/cmd/cosign", pinned().cosign)


def lua() -> Path:
    """Return an interpreter of Lua, the one of Argo CD. Raises ClusterError."""
    module = "github.com/yuin/gopher-lua"
    return from_module("lua", module, f"{module}/cmd/glua", pinned().gopher_lua)
