"""A release, rehearsed against a registry on loopback: build twice, push, sign, verify, list packages, package."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster import engine, images, ports
from tests.cluster.console import say, step, succeeds, wait_until
from tests.cluster.engine import Runtime
from tests.cluster.errors import ClusterError
from tests.release import home, package, plan, publish, tools
from tests.release.home import Home
from tests.release.table import CHARTS, IMAGES, ReleaseImage

_CONFIG = """\
version: 0.1
log: {{accesslog: {{disabled: true}}, level: error}}
storage: {{filesystem: {{rootdirectory: {directory}}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


def rehearse() -> None:
    """Take every step of a release up to the registry. Raises ClusterError with the step that fails."""
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as name:
        work = Path(name)
        with registry(work) as host:
            _publish(Home(home.read().url, f"{host}/rehearsal"), work)
    say("the rehearsal is done: what was pushed is signed, and two builds gave the same digests")


def _publish(found: Home, work: Path) -> None:
    private, public = publish.key_pair(work)
    signer, trusted, dist = publish.Signer(private), publish.by_key(public), work / "dist"
    (dist / "images").mkdir(parents=True)
    for image in IMAGES:
        digest = build_twice(engine.find(), image, found)
        (dist / "images" / image.name).write_text(digest, encoding="utf-8")
        reference = f"{found.image(image.name)}@{digest}"
        with step(f"sign and verify {reference}"):
            signer.sign(reference)
            publish.verify(reference, trusted)
            signer.attest(reference, publish.list_packages(image, reference, dist))
            publish.verify(reference, trusted, packages=True)
    package.make(dist, found)
    for chart in CHARTS:
        pushed = publish.push_chart(found, dist / f"{chart}-{plan.version()}.tgz")
        signer.sign(pushed)
        publish.verify(pushed, trusted)


def build_twice(runtime: Runtime, image: ReleaseImage, found: Home) -> str:
    """Build an image twice without a cache, push it, and return its digest. Raises ClusterError if the two differ."""
    # Docker's builder takes the time from a variable, Podman from an option.
    moment = str(package.epoch())
    times = [f"--timestamp={moment}"] if runtime.command == "podman" else [f"--build-arg=SOURCE_DATE_EPOCH={moment}"]
    digests = []
    for take in ("first", "second"):
        local = f"localhost/chainlit-rehearsal:{image.name}-{take}"
        images.build_as(runtime, image.built, local, "--no-cache", *times)
        digests.append(publish.push_image(runtime, local, f"{found.image(image.name)}:{plan.version()}"))
        runtime.run("rmi", local)
    if digests[0] != digests[1]:
        raise ClusterError(f"two builds of {image.name} differ: {digests[0]} and {digests[1]}")
    return digests[0]


@contextmanager
def registry(work: Path) -> Iterator[str]:
    """Run a registry on the loopback address and give its host and port. Raises ClusterError."""
    port = ports.choose((), ports.is_free, 15500)
    config = work / "registry.yaml"
    config.write_text(_CONFIG.format(directory=work / "registry", port=port), encoding="utf-8")
    with (work / "registry.log").open("wb") as log:
        serving = subprocess.Popen([tools.registry(), "serve", config], stdout=log, stderr=log)
    host = f"127.0.0.1:{port}"
    try:
        catalog: list[str | Path] = [tools.crane(), "catalog", host]
        wait_until(lambda: succeeds(catalog), seconds=30, what=f"an answer of the registry at {host}")
        yield host
    finally:
        serving.terminate()
        serving.wait(timeout=30)
