"""kind-config.yaml, as it stands and as it is rendered for a cluster."""

from pathlib import Path

import pytest
from tests.cluster.errors import ClusterError
from tests.cluster.kindcluster import CONFIG, render, with_host
from tests.cluster.state import API_SERVER, EDGES


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
