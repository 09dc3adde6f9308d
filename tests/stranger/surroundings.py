"""What somebody has who installs into a cluster: an app that runs there, a registry, and Docker."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster import images, nodeimage, ports, tools, wheels
from tests.cluster.console import run
from tests.cluster.engine import Runtime
from tests.cluster.kindcluster import KindCluster
from tests.cluster.versions import pinned
from tests.e2e import demo
from tests.objects import Object, ingress, ingress_path, ingress_rule, resource, service
from tests.release import node, registry

NAMESPACE, PATH = "team-a", "/chat"
#: What `make up` installs beside Traefik: releases, each with its namespace.
RELEASES = {"demo": "demo", "chainlit-operator": "chainlit-operator-system"}
#: Docker takes a registry on loopback without TLS.
PODMAN_AS_DOCKER = """\
#!/bin/sh
if [ "$1" = push ]; then shift; set -- push --tls-verify=false "$@"; fi
exec podman "$@"
"""


def app(cluster: KindCluster) -> list[Object]:
    """Return the objects of a Chainlit app behind an Ingress, which does not know its path."""
    rule = ingress_rule(ingress_path(PATH), host=cluster.files.node)
    made = [demo.workload(demo.container(images.DEMO.reference)), service(), ingress(rules=[rule])]
    for item in made:
        item["metadata"]["namespace"] = NAMESPACE
    return [resource("Namespace", NAMESPACE), *made]


def replace_demo_by_app(cluster: KindCluster) -> None:
    """Remove what `make up` installed, and have an app that runs. Raises ClusterError."""
    for release, namespace in RELEASES.items():
        options = [f"--kubeconfig={cluster.files.kubeconfig}", f"--namespace={namespace}", "--wait"]
        run(["helm", "uninstall", release, *options], env={"PATH": tools.search_path()}, timeout=120)
    cluster.kubectl("delete", "crd", "chainlitapps.chainlit-operator.dev")
    items = {"apiVersion": "v1", "kind": "List", "items": app(cluster)}
    cluster.kubectl("apply", "--filename=-", stdin=json.dumps(items))
    cluster.kubectl("--namespace", NAMESPACE, "rollout", "status", "deployment/chat", "--timeout=120s", timeout=130)


@contextmanager
def served(cluster: KindCluster, work: Path) -> Iterator[str]:
    """Serve a registry on loopback from which the cluster pulls, too. Yields its address. Raises ClusterError."""
    port = ports.choose((), ports.is_free, 15600)
    address, outside = f"127.0.0.1:{port}", f"{node.gateway(cluster.on_node('ip', '-4', 'route'))}:{port}"
    with registry.serve(work / "registry", address), registry.serve(work / "registry", outside, read_only=True):
        node.redirect(cluster, address, outside)
        yield address


@contextmanager
def docker(engine: Runtime, clone: Path, work: Path) -> Iterator[str]:
    """Have a `docker` that builds the operator as it would with a registry and a package index in reach.

    Yields the search path. Raises ClusterError.
    """
    programs = work / "bin"
    programs.mkdir()
    if engine.command == "podman":
        program = programs / "docker"
        program.write_text(PODMAN_AS_DOCKER, encoding="utf-8")
        program.chmod(0o755)
    search_path = f"{programs}:{tools.search_path()}"
    if nodeimage.from_registry(engine):
        yield search_path
        return
    shutil.copytree(wheels.house(images.OPERATOR.name, images.OPERATOR.requirements), clone / "operator/wheels")
    base, is_there = pinned().python_image, engine.has_image(pinned().python_image)
    if not is_there:
        engine.run("tag", images.base_image(engine), base)
    try:
        yield search_path
    finally:
        if not is_there:
            engine.run("rmi", base)
