"""Which port of the loopback address a cluster gets."""

import socket
from pathlib import Path

import pytest
from tests.cluster import ports
from tests.cluster.errors import ClusterError
from tests.cluster.state import API_SERVER, CONTOUR, EDGES, ClusterState

RULES = """\
-A CHAIN -d 127.0.0.1/32 -p tcp -m tcp --dport 8080 -j MARK
-A CHAIN -d 127.0.0.1/32 -p tcp -m tcp --dport 8081 -j DNAT --to-destination 10.0.0.2:80
"""


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINLIT_STATE", str(tmp_path))


def test_the_first_port_that_is_free_and_promised_to_nobody() -> None:
    assert ports.choose((), lambda port: True, 8080) == 8080
    assert ports.choose({8080}, lambda port: port != 8081, 8080) == 8082


def test_no_free_port_is_said() -> None:
    with pytest.raises(ClusterError, match=r"no free port on 127\.0\.0\.1 between 8080 and 8279"):
        ports.choose((), lambda port: False, 8080)


def test_a_port_in_use_is_not_free() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        assert not ports.is_free(listening.getsockname()[1])


def test_a_port_that_a_dead_container_still_forwards_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setattr(ports, "_rules", lambda: "")
    assert ports.is_free(port)
    monkeypatch.setattr(ports, "_rules", lambda: RULES.replace("8081", str(port)))
    assert not ports.is_free(port)


def test_only_rules_that_send_elsewhere_count() -> None:
    assert ports.forwarded(RULES) == {8081}


def test_a_cluster_keeps_its_port_and_two_never_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda port: True)
    assert ClusterState("chainlit").port() == 8080
    assert ClusterState("chainlit-test").port() == 8081
    assert ClusterState("third").port() == 8082
    monkeypatch.setattr(ports, "is_free", lambda port: False)
    assert ClusterState("chainlit-test").port() == 8081


def test_edges_of_one_cluster_have_ports_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda port: True)
    assert ClusterState("chainlit").port(CONTOUR) == 8180
    assert ClusterState("chainlit-test").port(CONTOUR) == 8181
    assert ClusterState("chainlit-test").port() == 8081
    assert ClusterState("chainlit-test").url(CONTOUR) == "http://127.0.0.1:8181"


def test_no_port_is_one_that_the_system_gives_away() -> None:
    first = 32768  # of net.ipv4.ip_local_port_range, Linux' default
    assert all(edge.first_port + ports.TRIED < first for edge in (*EDGES, API_SERVER))


def test_the_default_port_is_left_to_the_default_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda port: True)
    assert ClusterState("chainlit-test").port() == 8081


def test_a_removed_cluster_gives_its_port_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda port: True)
    ClusterState("one").port()
    ClusterState("one").forget()
    assert ClusterState("two").port() == 8081


@pytest.mark.parametrize("name", ["../up", "Upper", "-x", "x-", "a b", "x" * 41])
def test_a_name_that_kind_would_refuse_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLUSTER", name)
    with pytest.raises(ClusterError, match="CLUSTER="):
        ClusterState.current()
