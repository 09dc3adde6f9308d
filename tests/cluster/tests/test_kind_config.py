"""kind-config.yaml, as it stands and as it is rendered for a cluster."""

import json
from pathlib import Path

import pytest
from tests.cluster import ipfamily
from tests.cluster.errors import ClusterError
from tests.cluster.kindcluster import CONFIG, POD_NETWORK, render, with_host
from tests.cluster.nodeimage import NODE_FILES
from tests.cluster.state import ADDRESS, API_SERVER, CONTOUR, EDGES, ClusterState


def test_the_file_is_rendered_with_the_port_and_absolute_paths_of_a_cluster() -> None:
    text = CONFIG.read_text()
    rendered = render(text, {80: 8123, 8080: 8456, 6443: 16789}, Path("/checkout"))
    assert "containerPort: 80 # Traefik\n        hostPort: 8123\n" in rendered
    assert "hostPort: 8456" in rendered
    assert "hostPath: /checkout/tests/cluster/files/audit-policy.yaml" in rendered
    assert "hostPath: /etc/kubernetes/audit/policy.yaml" in rendered  # inside the node: as it is
    assert rendered.endswith("\nnetworking:\n  apiServerPort: 16789\n")
    same = rendered.replace("8123", "8080").replace("8456", "8180").replace("/checkout/", "")
    assert same.removesuffix("networking:\n  apiServerPort: 16789\n") == text


def test_the_file_names_what_is_there() -> None:
    assert (CONFIG.parent / "tests/cluster/files/audit-policy.yaml").is_file()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- containerPort: 81\n  hostPort: 1\n",
        "- containerPort: 80\n  hostPort: 1\n- containerPort: 81\n  hostPort: 2\n",
        "- containerPort: 80\n  hostPort: 1\n- hostPort: 2\n",
    ],
)
def test_a_file_with_other_ports_than_the_edges_have_is_refused(text: str) -> None:
    with pytest.raises(ClusterError, match=r"a hostPort is expected for each of \[80\]"):
        render(text, {80: 8080, 6443: 16443}, Path("/"))


def test_the_file_maps_the_ports_of_all_edges() -> None:
    render(CONFIG.read_text(), {edge.node_port: edge.first_port for edge in (*EDGES, API_SERVER)}, Path("/"))


def test_the_dns_answers_for_the_node_in_each_search_domain() -> None:
    corefile = ".:53 {\n    ready\n    kubernetes cluster.local {\n    }\n}\n"
    found = with_host(corefile, "node", "10.0.0.7", "nameserver 10.0.0.1\nsearch dns.podman lan\n")
    hosts = "    hosts {\n       10.0.0.7 node node.dns.podman node.lan\n       fallthrough\n    }\n"
    assert found == f".:53 {{\n    ready\n{hosts}    kubernetes cluster.local {{\n    }}\n}}\n"
    assert "10.0.0.7 node\n" in with_host(corefile, "node", "10.0.0.7", "nameserver 10.0.0.1\n")


def test_a_corefile_without_the_names_of_the_cluster_is_refused() -> None:
    with pytest.raises(ClusterError, match="no line `kubernetes`"):
        with_host(".:53 {\n}\n", "node", "10.0.0.7", "")


def test_the_file_of_a_cluster_with_ipv6_has_its_family_and_the_network_of_its_pods() -> None:
    ports = {edge.node_port: edge.first_port for edge in (*EDGES, API_SERVER)}
    mounts = {Path("/state/pods"): "/etc/cni/net.d/pods"}
    text = render(CONFIG.read_text(), ports, Path("/checkout"), ipfamily.IPV6, mounts)
    assert "extraMounts:\n      - {hostPath: /state/pods, containerPath: /etc/cni/net.d/pods}\n      - hostPath" in text
    assert text.endswith("\nnetworking:\n  ipFamily: ipv6\n  apiServerAddress: 127.0.0.1\n  apiServerPort: 16443\n")


@pytest.mark.parametrize(
    ("family", "ranges"),
    [("ipv4", ["10.244.0.0/16"]), ("ipv6", ["fd00:10:244::/56"]), ("dual", ["10.244.0.0/16", "fd00:10:244::/56"])],
)
def test_pods_get_addresses_of_the_family(family: str, ranges: list[str]) -> None:
    text = (NODE_FILES / POD_NETWORK).read_text()
    network = json.loads(ipfamily.pod_network(text, family))
    ipam = network["plugins"][0]["ipam"]
    assert [subnet["subnet"] for (subnet,) in ipam["ranges"]] == ranges
    assert len(ipam["routes"]) == len(ranges)
    assert (network == json.loads(text)) is (family == "ipv4")


def test_the_edges_of_a_cluster_with_ipv6_are_at_the_address_of_its_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAINLIT_STATE", str(tmp_path))
    files = ClusterState("named")
    files.remember(ADDRESS, "fd00::2")
    assert (files.url(), files.url(CONTOUR)) == ("http://[fd00::2]:80", "http://[fd00::2]:8080")
    files.forget_making()
    assert files.url().startswith("http://127.0.0.1:")


def test_an_unknown_family_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IP_FAMILY", raising=False)
    assert ipfamily.chosen() == "ipv4"
    monkeypatch.setenv("IP_FAMILY", "v6")
    with pytest.raises(ClusterError, match="IP_FAMILY=v6: only ipv4, ipv6 and dual"):
        ipfamily.chosen()


def test_a_host_without_ipv6_is_known(tmp_path: Path) -> None:
    switch = tmp_path / "disable_ipv6"
    assert not ipfamily.has_ipv6(switch)
    switch.write_text("1\n")
    assert not ipfamily.has_ipv6(switch)
    switch.write_text("0\n")
    assert ipfamily.has_ipv6(switch)
