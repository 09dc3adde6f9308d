"""A release, installed in a fresh kind cluster that has nothing but its registry; each time a chat must answer."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cluster import kindcluster, traefik
from tests.cluster.console import run, say, step
from tests.cluster.errors import ClusterError
from tests.cluster.kindcluster import KindCluster
from tests.cluster.versions import REPOSITORY
from tests.release import node, package, plan, registry, ways
from tests.release.home import Home
from tests.release.registry import Pull, Registry
from tests.release.ways import CHAT, OPERATOR, Site, Way

NAME = "chainlit-rehearsal"
APP = REPOSITORY / "tests/demo/app.py"


def prove(home: Home, work: Path) -> None:
    """Install what the registry below ``work`` has, in every way. Raises ClusterError with the first that fails."""
    with cluster() as made:
        address = node.gateway(made.on_node("ip", "-4", "route"))
        _, _, port = home.registry.partition(":")
        # A second door to the same directory, which nobody but the node uses: its log is the proof.
        with registry.serve(work / "registry", f"{address}:{port}", read_only=True) as door:
            node.redirect(made, home.registry, door.address)
            say(f"    the node pulls images of {home.registry} from {door.address}, and holds none of them")
            values = work / "values.json"
            values.write_text(json.dumps(chat_values(made.files.url())), encoding="utf-8")
            site = Site(made, home, plan.version(), work / "dist/install.yaml", values)
            for way in ways.WAYS:
                attempt(site, door, way, package.digests(work / "dist"))


@contextmanager
def cluster() -> Iterator[KindCluster]:
    """Make a cluster of its own, with Traefik at its edge, and delete it afterwards. Raises ClusterError."""
    with kindcluster.temporary(NAME, lock=f"cluster-{NAME}.lock") as made:
        made.ensure()
        made.wait_ready()
        traefik.ensure(made)
        yield made


def chat_values(edge: str) -> dict[str, Any]:
    """Return the values of a chat behind the edge: an app.py, and the image that the chart names by itself."""
    return {
        "fullnameOverride": CHAT,
        "app": {"files": {"app.py": APP.read_text(encoding="utf-8")}},
        "route": {"path": "/chat", "controller": "traefik"},
        "operator": {"enabled": True, "url": f"{edge}/chat/"},
    }


def attempt(site: Site, door: Registry, way: Way, digests: Mapping[str, str]) -> None:
    """Install in one way, chat, see where the images came from, and remove it all. Raises ClusterError."""
    node.forget(site.cluster, site.home.registry)
    earlier = len(door.pulls())
    with step(way.title):
        try:
            way.install(site)
            said = talk(site.cluster.files.url(), way.title)
        except ClusterError:
            explain(site)
            raise
    say(f"    {said}")
    running = json.loads(site.kubectl("get", "pods", "--all-namespaces", "--output=json"))["items"]
    if foreign := images_elsewhere(running, site.home.prefix):
        raise ClusterError(f"these images are not the registry's: {', '.join(foreign)}")
    for name, digest in digests.items():
        say(f"    {fetched(door.pulls()[earlier:], site.home.image(name), digest)}")
    with step("remove it"):
        way.remove(site)


def talk(edge: str, text: str) -> str:
    """Chat through the edge as a browser does, and return where and what was answered. Raises ClusterError.

    The operator does not see the port of this machine, so an edge that learns of pods late gets half a minute.
    """
    words = ["-m", "tests.e2e.chat", "--wait=30", f"--text={text}", f"{edge}/chat/"]
    return run([sys.executable, *words], cwd=REPOSITORY, timeout=90).strip()


def images_elsewhere(pods: Sequence[Mapping[str, Any]], prefix: str) -> list[str]:
    """Return the images of operator and chat that are not below a prefix."""
    found = {
        container["image"]
        for pod in pods
        if pod["metadata"]["namespace"] in (CHAT, OPERATOR)
        for kind in ("initContainers", "containers")
        for container in pod["spec"].get(kind, [])
    }
    return sorted(image for image in found if not image.startswith(f"{prefix}/"))


def fetched(pulls: Sequence[Pull], image: str, digest: str) -> str:
    """Say what was fetched of an image. Raises ClusterError where it is not its manifest, configuration and a layer."""
    _, _, name = image.partition("/")
    ours = [pull for pull in pulls if pull.name == name]
    blobs = {pull.reference for pull in ours if pull.kind == "blobs"}
    if Pull(name, "manifests", digest) not in ours or len(blobs) < 2:
        raise ClusterError(f"the node did not pull {image}@{digest} with its layers from the registry")
    return f"pulled from the registry: {name}@{digest[:19]}…, its manifest and {len(blobs)} blobs"


def explain(site: Site) -> None:
    """Show what the cluster says of operator and chat, before it is deleted."""
    for namespace in (OPERATOR, CHAT):
        for kinds in ("chainlitapps,pods", "events"):
            try:
                say(site.kubectl("--namespace", namespace, "get", kinds))
            except ClusterError as error:
                say(f"    {error}")
