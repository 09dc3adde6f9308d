"""Servers that only some tests need, each as an image: PostgreSQL, S3, and both sides of a login by OpenID Connect."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.cluster import cache, golang, images, rootfs, tools
from tests.cluster.console import run, step
from tests.cluster.engine import Runtime
from tests.cluster.versions import FILES, pinned

POSTGRES_PACKAGES = ("postgresql",)
S3 = "github.com/versity/versitygw/cmd/versitygw"
OAUTH2_PROXY = "github.com/oauth2-proxy/oauth2-proxy/v7"
DEX = FILES / "dex"
_DEX_MODULE = "github.com/dexidp/dex"


def postgres(engine: Runtime) -> str:
    """Return the name of an image with PostgreSQL, which is in the engine's store. Raises ClusterError."""
    reference = f"localhost/chainlit-postgres:{rootfs.key(POSTGRES_PACKAGES)}"
    if not engine.has_image(reference):
        rootfs.load(engine, rootfs.debian("postgres-rootfs", POSTGRES_PACKAGES), reference)
    return reference


def s3(engine: Runtime) -> str:
    """Return the name of an image with the S3 server, which is in the engine's store. Raises ClusterError."""
    version = pinned().versitygw
    program = cache.entry("versitygw", cache.key_of([S3, version]), lambda into: golang.install(S3, version, into))
    return _image(engine, "s3", version, [program / "versitygw"])


def oauth2_proxy(engine: Runtime) -> str:
    """Return the name of an image with oauth2-proxy, which is in the engine's store. Raises ClusterError."""
    module, version = OAUTH2_PROXY, pinned().oauth2_proxy
    return _image(engine, "oauth2-proxy", version, [tools.from_module("oauth2-proxy", module, module, version)])


def dex(engine: Runtime) -> str:
    """Return the name of an image with the OpenID Connect provider dex, which is in the engine's store.

    Raises ClusterError.
    """
    program = cache.entry("dex", cache.key_of([DEX]), _build_dex) / "dex"
    version = next(line.split()[1] for line in (DEX / "go.mod").read_text().splitlines() if _DEX_MODULE in line)
    pages = Path(golang.module_info(_DEX_MODULE, version)["Dir"]) / "web"
    return _image(engine, "dex", version.partition("+")[0], [program, pages])


def _build_dex(into: Path) -> None:
    """The module of dex names no versions of what it needs, so a go.mod with a go.sum does."""
    golang.require_go()
    run(["go", "build", "-mod=readonly", "-ldflags=-s -w", "-o", into / "dex", "."], cwd=DEX, env=golang.ENVIRONMENT)


def _image(engine: Runtime, name: str, version: str, parts: Sequence[Path]) -> str:
    """Return the name of the image that is made of a Dockerfile in ``files`` and of these files and directories."""
    dockerfile = FILES / name / "Dockerfile"
    reference = (
        f"localhost/chainlit-{name}:{version}-{cache.key_of([version, dockerfile, *parts, *images.base_parts()])}"
    )
    if not engine.has_image(reference):
        with tempfile.TemporaryDirectory(prefix=f"{name}-image-") as place, step(f"build {reference}"):
            context = Path(place)
            for part in (dockerfile, *parts):
                copy = shutil.copytree if part.is_dir() else shutil.copy
                copy(part, context / part.name)
            base = images.base_image(engine)
            engine.run("build", f"--build-arg=BASE_IMAGE={base}", f"--tag={reference}", context, timeout=600)
        engine.keep_newest(reference, 1)
    return reference


def runtime(engine: Runtime) -> str:
    """Return the name of the reference runtime image, which is in the engine's store. Raises ClusterError."""
    images.build(engine, images.RUNTIME)
    return images.RUNTIME.reference


#: By the name that the command line has for them.
BUILT = {"postgres": postgres, "s3": s3, "runtime": runtime, "oauth2-proxy": oauth2_proxy, "dex": dex}
