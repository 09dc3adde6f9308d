"""What proves that a chat runs on images of the registry alone."""

from __future__ import annotations

from typing import Any

import pytest
from tests.cluster.errors import ClusterError
from tests.release import installation, node, registry, ways
from tests.release.registry import Pull

DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64
LAYER = "sha256:" + "c" * 64
HOST = "127.0.0.1:15500"
LINE = '10.89.0.2 - - [30/Nov/2026:02:45:11 +0000] "{} HTTP/1.1" {} 856 "" "containerd/v1.6.20"\n'
LISTED = f"""\
REF                                          TYPE                                       DIGEST   SIZE PLATFORMS LABELS
{HOST}/rehearsal/chainlit-runtime:0.2.0      application/vnd.oci.image.manifest.v1+json {DIGEST} 90.1 MiB linux/amd64 -
docker.io/library/import-2026:latest         application/vnd.oci.image.manifest.v1+json {OTHER}  1.1 MiB  linux/amd64 -
sha256:1234                                  application/vnd.oci.image.manifest.v1+json {DIGEST} 90.1 MiB linux/amd64 -
"""


def test_the_gateway_is_the_node_s_way_out() -> None:
    routes = "10.244.0.0/16 dev cni0 scope link \ndefault via 10.89.0.1 dev eth0 proto static metric 100 \n"
    assert node.gateway(routes) == "10.89.0.1"
    with pytest.raises(ClusterError, match="no IPv4 route"):
        node.gateway("10.89.0.0/24 dev eth0\n")


def test_images_of_the_registry_are_found_by_all_their_names() -> None:
    assert node.held(LISTED, HOST) == [f"{HOST}/rehearsal/chainlit-runtime:0.2.0", "sha256:1234"]
    assert node.held(LISTED, "127.0.0.1:1550") == []
    assert node.held(LISTED.splitlines()[0], HOST) == []


def test_the_containers_of_an_image_are_found() -> None:
    listed = f"CONTAINER IMAGE RUNTIME\nc1 {HOST}/rehearsal/chat:0.2.0 runc\nc2 registry.k8s.io/pause:3.9 runc\n"
    assert node.used(listed, [f"{HOST}/rehearsal/chat:0.2.0", "sha256:1234"]) == ["c1"]
    assert node.used(listed, ["sha256:1234"]) == []


@pytest.mark.parametrize(
    ("request_line", "status", "found"),
    [
        (f"GET /v2/a/chat/manifests/{DIGEST}?ns=127.0.0.1%3A15500", 200, Pull("a/chat", "manifests", DIGEST)),
        (f"GET /v2/rehearsal/chat/blobs/{LAYER}", 206, Pull("rehearsal/chat", "blobs", LAYER)),
        ("HEAD /v2/rehearsal/chat/manifests/0.2.0", 200, None),
        ("GET /v2/rehearsal/chat/manifests/0.3.0", 404, None),
        ("GET /v2/rehearsal/chat/tags/list", 200, None),
        ("PUT /v2/rehearsal/chat/manifests/0.2.0", 201, None),
    ],
)  # fmt: skip
def test_a_pull_is_a_request_that_got_something(request_line: str, status: int, found: Pull | None) -> None:
    assert registry.pulls(LINE.format(request_line, status)) == ([found] if found else [])


@pytest.mark.parametrize(
    "pulls",
    [
        [],
        [Pull("rehearsal/chat", "manifests", DIGEST)],
        [Pull("rehearsal/chat", "manifests", DIGEST), *[Pull("rehearsal/chat", "blobs", LAYER)] * 2],
        [Pull("rehearsal/chat", "blobs", LAYER), Pull("rehearsal/chat", "manifests", OTHER)],
        [Pull("rehearsal/chats", "blobs", LAYER), Pull("rehearsal/chats", "manifests", DIGEST)],
        [Pull("rehearsal/chats", "blobs", LAYER), Pull("rehearsal/chat", "manifests", DIGEST)],
    ],
)
def test_an_image_that_was_not_pulled_is_named(pulls: list[Pull]) -> None:
    with pytest.raises(ClusterError, match=f"did not pull {HOST}/rehearsal/chat@{DIGEST}"):
        installation.fetched(pulls, f"{HOST}/rehearsal/chat", DIGEST)


def test_an_image_that_was_pulled_has_its_layers_counted() -> None:
    got = [Pull("rehearsal/chat", "manifests", DIGEST), *[Pull("rehearsal/chat", "blobs", b) for b in (LAYER, OTHER)]]
    assert "2 blobs" in installation.fetched(got, f"{HOST}/rehearsal/chat", DIGEST)


def pod(namespace: str, **images: str) -> dict[str, Any]:
    return {"metadata": {"namespace": namespace}, "spec": {kind: [{"image": image}] for kind, image in images.items()}}


def test_an_image_of_another_place_is_found_in_the_pods_of_the_release() -> None:
    ours, elsewhere = f"{HOST}/rehearsal/chainlit-runtime:0.2.0", "localhost/chainlit-demo:2.12.0"
    running = [
        pod("traefik", containers="localhost/chainlit-traefik:v3"),
        pod(ways.CHAT, containers=ours, initContainers=elsewhere),
        pod(ways.OPERATOR, containers=f"{HOST}/rehearsals/chainlit-operator@{DIGEST}"),
    ]
    assert installation.images_elsewhere(running, f"{HOST}/rehearsal") == [
        f"{HOST}/rehearsals/chainlit-operator@{DIGEST}",
        elsewhere,
    ]
    assert installation.images_elsewhere(running[:1], f"{HOST}/rehearsal") == []


def test_a_second_sync_may_write_nothing() -> None:
    workload = {"kind": "Deployment", "metadata": {"name": "chat", "generation": 2, "resourceVersion": "17"}}
    text = {"kind": "ConfigMap", "metadata": {"name": "chat", "resourceVersion": "4"}}
    assert [ways.mark(workload), ways.mark(text)] == ["2", "4"]
    before = {ways.name_of(workload): "2", ways.name_of(text): "4"}
    assert ways.changed(before, dict(before)) == []
    assert ways.changed(before, {"Deployment chat": "3", "Service chat": "5"}) == [
        "ConfigMap chat",
        "Deployment chat",
        "Service chat",
    ]


def test_the_chat_uses_the_image_that_the_chart_names() -> None:
    values = installation.chat_values("http://127.0.0.1:8081")
    assert "image" not in values
    assert values["operator"] == {"enabled": True, "url": "http://127.0.0.1:8081/chat/"}
    assert "echo" in values["app"]["files"]["app.py"]
