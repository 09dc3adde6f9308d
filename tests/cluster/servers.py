"""Servers that only tests of persistence need, each as an image: Debian's PostgreSQL, and the S3 server versitygw."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tests.cluster import cache, golang, images, rootfs
from tests.cluster.console import step
from tests.cluster.engine import Runtime
from tests.cluster.versions import FILES, pinned

POSTGRES_PACKAGES = ("postgresql",)
S3 = "github.com/versity/versitygw/cmd/versitygw"
PLACE = FILES / "s3"


def postgres(engine: Runtime) -> str:
    """Return the name of an image with PostgreSQL, which is in the engine's store. Raises ClusterError."""
    reference = f"localhost/chainlit-postgres:{rootfs.key(POSTGRES_PACKAGES)}"
    if not engine.has_image(reference):
        rootfs.load(engine, rootfs.debian("postgres-rootfs", POSTGRES_PACKAGES), reference)
    return reference


def s3(engine: Runtime) -> str:
    """Return the name of an image with the S3 server, which is in the engine's store. Raises ClusterError."""
    key = cache.key_of([S3, pinned().versitygw, PLACE, *images.base_parts()])
    reference = f"localhost/chainlit-s3:{pinned().versitygw}-{key}"
    if not engine.has_image(reference):
        program = cache.entry("versitygw", cache.key_of([S3, pinned().versitygw]), _install) / "versitygw"
        with tempfile.TemporaryDirectory(prefix="s3-image-") as name, step(f"build {reference}"):
            context = Path(name)
            shutil.copy(PLACE / "Dockerfile", context)
            shutil.copy(program, context)
            base = images.base_image(engine)
            engine.run("build", f"--build-arg=BASE_IMAGE={base}", f"--tag={reference}", context, timeout=600)
        engine.keep_newest(reference, 1)
    return reference


def _install(into: Path) -> None:
    golang.install(S3, pinned().versitygw, into)


def runtime(engine: Runtime) -> str:
    """Return the name of the reference runtime image, which is in the engine's store. Raises ClusterError."""
    images.build(engine, images.RUNTIME)
    return images.RUNTIME.reference


#: By the name that the command line has for them.
BUILT = {"postgres": postgres, "s3": s3, "runtime": runtime}
