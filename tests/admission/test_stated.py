"""The schema of a stated route: what the API server refuses, and how it says so."""

from __future__ import annotations

from typing import Any

import pytest

from tests.admission.plane import Plane
from tests.e2e.kube import KubeError
from tests.objects import chainlit_app

URL = "https://example.com/portal/chat"
GOOD: list[dict[str, Any]] = [
    {"route": {"url": URL}},
    {"route": {"url": "http://192.0.2.7:30080"}},
    {"route": {"url": "https://[2001:db8::1]/chat/", "backendPath": "/"}},
    {"route": {"url": URL, "backendPath": "/chat", "ref": {"name": "chat"}}},
    {"route": {"url": f"{URL}/", "backendPath": "/portal/chat", "ingress": {}}},
    {"route": {"url": URL, "backendPath": "/chat"}, "mountPath": "/chat"},
    {"workload": {"ref": {"name": "chat", "port": 8000}}},
    {"workload": {"ref": {"name": "chat", "port": "http"}}},
]
BAD: list[tuple[dict[str, Any], str]] = [
    ({"route": {"url": "example.com"}}, "spec.route.url is not a URL that browsers open: use http:// or https://"),
    ({"route": {"url": f"{URL}?a=b"}}, "spec.route.url is not a URL that browsers open: use http:// or https://"),
    ({"route": {"url": f"{URL}/a b"}}, "spec.route.url is not to have a path that Chainlit cannot serve: use segments"),
    ({"route": {"url": f"{URL}/../x"}}, "spec.route.url is not to have . or .. for a segment"),
    ({"route": {"backendPath": "/chat"}}, "spec.route.backendPath is what arrives of the path of spec.route.url: set"),
    ({"route": {"url": URL, "backendPath": "/bot"}}, "spec.route.backendPath is not an end of the path of spec.route."),
    ({"route": {"url": URL, "backendPath": "chat"}}, "spec.route.backendPath is not a path prefix: begin it with '/'"),
    ({"route": {"url": URL, "backendPath": "/", "rewrite": "Strip"}},
     "spec.route.backendPath is to stand without spec.route.rewrite"),
    ({"route": {"url": URL}, "mountPath": "/inner"}, "spec.route.url is to end with spec.mountPath"),
    ({"route": {"url": URL, "backendPath": "/"}, "mountPath": "/chat"},
     "spec.route.backendPath is to end with spec.mountPath"),
    ({"workload": {"ref": {"name": "chat", "port": 0}}}, "spec.workload.ref.port is not a port: use a number from 1"),
    ({"workload": {"ref": {"name": "chat", "port": "A_b"}}}, "spec.workload.ref.port is not a port: use a number from"),
]  # fmt: skip


@pytest.mark.parametrize("spec", GOOD, ids=str)
def test_accepted(plane: Plane, namespace: str, spec: dict[str, Any]) -> None:
    plane.admin.create(chainlit_app(**spec), namespace)


@pytest.mark.parametrize(("spec", "said"), BAD, ids=str)
def test_refused(plane: Plane, namespace: str, spec: dict[str, Any], said: str) -> None:
    with pytest.raises(KubeError) as refused:
        plane.admin.create(chainlit_app(**spec), namespace)
    assert refused.value.code == 422, refused.value
    assert said in refused.value.message
