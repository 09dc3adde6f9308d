"""Operator and app chart in a cluster of the IP family IP_FAMILY, ipv6 or dual: who listens where, and real chats."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from urllib.parse import urlsplit

from tests.e2e.cluster import START, Cluster, CommandError, Operator, Space, image_values, is_ready, run, set_json
from tests.e2e.demo import QUICK_PROBES
from tests.objects import Object
from tests.waiting import eventually

#: Families of the cluster's addresses, the first one of them first.
FAMILIES = {"ipv6": ["IPv6"], "dual": ["IPv4", "IPv6"]}[os.environ["IP_FAMILY"]]
#: The image's own command has --host 0.0.0.0, which is IPv4 alone.
COMMAND = ["chainlit", "run", "/app/app.py", "--headless"]


def put(space: Space, *wait: str, **values: object) -> None:
    """Install the app chart, with addresses of all families that the cluster has."""
    given: Object = {
        "image": image_values(space.cluster.demo_image),
        "fullnameOverride": "chat",
        "probes": QUICK_PROBES,
        "operator": {"enabled": True},
        "service": {"ipFamilyPolicy": "PreferDualStack"},
        "tests": {"image": image_values(space.cluster.operator_image)},
        **values,
    }
    space.helm("install", "chat", "charts/chainlit", *wait, *set_json(given))


def families(addresses: Iterable[str]) -> list[str]:
    """Return the families of addresses, in their order."""
    return ["IPv6" if ":" in address else "IPv4" for address in addresses]


def in_url(address: str) -> str:
    """Return an address as URLs have it."""
    return f"[{address}]" if ":" in address else address


def pod_addresses(pod: Object) -> list[str]:
    """Return all addresses of a pod."""
    return [each["ip"] for each in pod["status"]["podIPs"]]


def ask(url: str) -> str:
    """Ask from the node, as the kubelet does, and return the answer; fails where there is none."""
    curl = ["curl", "--fail", "--silent", "--show-error", "--globoff", "--noproxy", "*", "--max-time", "10", url]
    try:
        return run(os.environ["ENGINE"], "exec", os.environ["NODE"], *curl)
    except CommandError as error:
        raise AssertionError(str(error)) from error


def node_addresses(cluster: Cluster) -> list[str]:
    """Return the addresses of the node, at which the edge listens too."""
    (node,) = cluster.kube.objects("Node", "")
    return [each["address"] for each in node["status"]["addresses"] if each["type"] == "InternalIP"]


def test_the_operator_is_heard_at_each_address(cluster: Cluster, operator: Operator) -> None:
    assert families(node_addresses(cluster)) == FAMILIES
    (pod,) = operator.pods()
    assert is_ready(pod), "the kubelet's probes go to the first address"
    assert families(pod_addresses(pod)) == FAMILIES
    for address in pod_addresses(pod):
        assert ask(f"http://{in_url(address)}:8080/healthz") == "ok\n"
        assert ask(f"http://{in_url(address)}:8080/readyz") == "ok\n"
        assert "chainlit_operator_" in ask(f"http://{in_url(address)}:8080/metrics")
    eventually(lambda: operator.metric("python_info"), lambda found: found > 0)


def test_a_chat_through_the_edge(space: Space) -> None:
    """The operator opens the stated URL as a browser does: a host that is an address of IPv6, in brackets."""
    path = f"/{space.name}"
    url = f"{space.cluster.edge}{path}/"
    put(
        space,
        "--wait",
        route={"path": path, "className": "traefik", "controller": "traefik"},
        chainlit={"command": COMMAND},
        operator={"enabled": True, "url": url, "verification": {"mode": "Edge"}},
    )
    space.await_ready()
    assert space.get("ChainlitApp")["status"]["verifiedURL"] == url
    assert urlsplit(url).netloc.startswith("[")

    for address in node_addresses(space.cluster):
        space.host = in_url(address)
        space.await_answer(path, edge=f"http://{in_url(address)}")
    service = space.get("Service")["spec"]
    assert service["ipFamilies"] == families(service["clusterIPs"]) == FAMILIES
    slices = [found for found in space.objects("EndpointSlice") if found["endpoints"]]
    assert sorted(found["addressType"] for found in slices) == FAMILIES
    (pod,) = space.pods()
    places = [
        *(f"{in_url(ip)}:80" for ip in service["clusterIPs"]),
        *(f"{in_url(ip)}:8000" for ip in pod_addresses(pod)),
    ]
    for place in places:
        assert json.loads(ask(f"http://{place}{path}/health")) == {"status": "ok"}
    space.helm("test", "chat")


def test_mode_auto_at_a_name_with_an_address_of_ipv6_alone(space: Space) -> None:
    path = space.serve_at_node()
    put(
        space,
        route={"path": path, "host": space.host, "className": "traefik", "controller": "traefik"},
        chainlit={"command": COMMAND},
    )
    space.await_ready()
    eventually(
        lambda: space.get("ChainlitApp")["status"].get("verifiedURL"),
        lambda found: found == f"http://{space.host}{path}/",
    )
    space.await_answer(path)


def test_an_image_that_listens_on_ipv4_alone(space: Space) -> None:
    put(space, route={"path": "/chat", "host": space.host, "className": "traefik", "controller": "traefik"})
    if FAMILIES[0] == "IPv4":
        space.await_ready()
        return
    remedy = "Chainlit does not listen on IPv6: start it without --host"
    eventually(lambda: space.condition("WebSocketReachable").message, lambda text: remedy in text, timeout=START)
    assert space.condition("Ready").status != "True"
