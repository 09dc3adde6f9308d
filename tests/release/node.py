"""The node of a kind cluster as a customer of a registry: where it pulls from, and which images it holds."""

from __future__ import annotations

import re
from collections.abc import Collection

from tests.cluster.console import wait_until
from tests.cluster.errors import ClusterError
from tests.cluster.kindcluster import KindCluster

_CTR = ("ctr", "--namespace=k8s.io")
_HOSTS = """\
server = "http://{address}"

[host."http://{address}"]
  capabilities = ["pull", "resolve"]
"""


def gateway(routes: str) -> str:
    """Return the address of this machine in the node's network, from `ip route`. Raises ClusterError without one."""
    found = re.search(r"(?m)^default via (\d+(?:\.\d+){3})\b", routes)
    if not found:
        raise ClusterError(f"the node has no IPv4 route to this machine:\n{routes}")
    return found[1]


def redirect(cluster: KindCluster, host: str, address: str) -> None:
    """Let the node pull the images of ``host`` from an address. Raises ClusterError where it does not reach it."""
    folder = f"/etc/containerd/certs.d/{host}"
    write = ["sh", "-c", f"mkdir -p {folder} && cat > {folder}/hosts.toml"]
    node = cluster.files.node
    cluster.engine.run("exec", "--interactive", node, *write, stdin=_HOSTS.format(address=address), timeout=30)
    try:
        cluster.on_node("curl", "--fail", "--silent", "--show-error", "--noproxy", "*", f"http://{address}/v2/")
    except ClusterError as error:
        raise ClusterError(
            f"the node {node} does not reach the registry at {address}: let this machine's firewall pass the network "
            f"of kind\n{error}"
        ) from None


def held(listed: str, host: str) -> list[str]:
    """Return the names of a registry's images in `ctr images list`, and other names of the same images."""
    rows = [line.split() for line in listed.splitlines()[1:] if line.strip()]
    ours = {row[2] for row in rows if row[0].startswith(f"{host}/")}
    return sorted(row[0] for row in rows if row[2] in ours)


def used(listed: str, names: Collection[str]) -> list[str]:
    """Return the containers in `ctr containers list` that were made of one of these images."""
    rows = [line.split() for line in listed.splitlines()[1:] if line.strip()]
    return [row[0] for row in rows if row[1] in names]


def images(cluster: KindCluster, host: str) -> list[str]:
    """Return the names of a registry's images that the node holds. Raises ClusterError."""
    return held(cluster.on_node(*_CTR, "images", "list"), host)


def forget(cluster: KindCluster, host: str) -> None:
    """Remove a registry's images from the node, with their layers. Raises ClusterError where one stays.

    The layers of an image stay as long as a container uses it, and kubelet removes containers late.
    """
    if found := images(cluster, host):
        what = f"the end of the containers of {', '.join(found)}"
        wait_until(lambda: not used(cluster.on_node(*_CTR, "containers", "list"), found), seconds=180, what=what)
        cluster.on_node(*_CTR, "images", "remove", "--sync", *found, timeout=120)
    if left := images(cluster, host):
        raise ClusterError(f"the node still holds {', '.join(left)}")
