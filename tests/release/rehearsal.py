"""A release, rehearsed: build twice, push to a registry on loopback, sign, verify, list packages, package, install."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tests.cluster import engine, images, ports
from tests.cluster.console import say, step
from tests.cluster.engine import Runtime
from tests.cluster.errors import ClusterError
from tests.release import home, installation, package, plan, publish, registry
from tests.release.home import Home
from tests.release.table import CHARTS, IMAGES, ReleaseImage
from tests.release.ways import WAYS


def rehearse() -> None:
    """Publish to a registry on loopback, and install from it. Raises ClusterError with the step that fails."""
    address = f"127.0.0.1:{ports.choose((), ports.is_free, 15500)}"
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as name:
        work = Path(name)
        with registry.serve(work / "registry", address):
            found = Home(home.read().url, f"{address}/rehearsal")
            _publish(found, work)
            say("    what was pushed is signed, and two builds gave the same; now it is installed")
            installation.prove(found, work)
    say(
        f"the rehearsal is done: the chat answered {len(WAYS)} times, in a cluster that pulled all images of the "
        f"release from the registry on {address}"
    )


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
    package_again(dist, work / "again", found)


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


def package_again(dist: Path, again: Path, found: Home) -> None:
    """Make the files of the release a second time, elsewhere. Raises ClusterError if a file differs."""
    shutil.copytree(dist / "images", again / "images")
    package.make(again, found)
    if differing := differences(dist, again):
        raise ClusterError(f"two builds of these files differ: {', '.join(differing)}")


def differences(dist: Path, again: Path) -> list[str]:
    """Return the names of the files below ``again`` that have other bytes below ``dist``, or are not there."""
    pairs = [(file, dist / file.relative_to(again)) for file in again.rglob("*") if file.is_file()]
    return sorted(
        file.relative_to(again).as_posix()
        for file, first in pairs
        if not first.is_file() or first.read_bytes() != file.read_bytes()
    )
