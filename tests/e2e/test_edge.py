"""Verification through the route's URL: what browsers would meet, and on which side of the Service a fault lies."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e import certificates
from tests.e2e.cluster import AUTHORITY, OPERATOR_NAMESPACE, START, Condition, Operator, Space
from tests.e2e.demo import PATIENT, container, probe, workload
from tests.e2e.test_restart import at_rest
from tests.objects import (
    Object,
    chainlit_app,
    http_route,
    http_rule,
    ingress,
    middleware,
    middleware_reference,
    path_match,
    service,
)
from tests.waiting import eventually

APP_ANSWERS = "The app answers through its Service"
NO_UPGRADES = middleware("no-upgrades", {"headers": {"customRequestHeaders": {"Upgrade": "", "Connection": ""}}})
STICKY = {"traefik.ingress.kubernetes.io/service.sticky.cookie": "true"}


def edge_app(**spec: Any) -> Object:
    return chainlit_app(verification={"mode": "Edge", "intervalSeconds": 10}, **spec)


def pods(space: Space, replicas: int = 1, **fields: Any) -> Object:
    """A workload that is right for /chat from the start, so that its pods start once."""
    probes: Object = dict.fromkeys(("readinessProbe", "livenessProbe"), probe("/chat/health", PATIENT))
    return workload(container(space.cluster.demo_image, root_path="/chat", **probes), replicas=replicas, **fields)


def put(space: Space, route: Object, replicas: int = 1) -> None:
    space.create(pods(space, replicas), service(), route, edge_app())


def await_fault(space: Space, reason: str) -> Condition:
    return space.await_condition("WebSocketReachable", "False", reason)


def await_reachable(space: Space) -> None:
    space.await_condition("WebSocketReachable", "True", "Verified")
    assert space.condition("Ready") == Condition("True", "Ready", space.condition("Ready").message)


def middlewares(space: Space, *names: str) -> dict[str, str]:
    """The annotation that puts Middlewares of the namespace before a route."""
    return middleware_reference(*names, namespace=space.name)


def test_from_a_name_without_address_to_a_chat(space: Space) -> None:
    inside = space.serve_inside()
    nowhere = f"nowhere.{space.name}.svc.cluster.local"
    space.create(NO_UPGRADES)
    put(space, ingress(nowhere, "/chat", annotations=middlewares(space, "no-upgrades")))

    found = await_fault(space, "DNSLookupFailed")
    assert found.message.startswith(APP_ANSWERS) and f"http://{nowhere}/chat/" in found.message

    set_host(space, inside)
    found = await_fault(space, "UpgradeRefused")
    assert found.message.startswith(APP_ANSWERS) and "removed the Upgrade header" in found.message

    space.patch("Ingress", {"metadata": {"annotations": None}})
    await_reachable(space)
    assert f"http://{inside}/chat/" in space.condition("WebSocketReachable").message
    assert space.chat("/chat") == "echo: hello"


def test_replicas_need_affinity(space: Space) -> None:
    put(space, ingress(space.serve_inside(), "/chat"), replicas=2)

    found = await_fault(space, "SessionLost")
    assert found.message.startswith(APP_ANSWERS) and "session affinity" in found.message

    space.patch("Service", {"metadata": {"annotations": STICKY}})
    await_reachable(space)
    assert space.chat("/chat") == "echo: hello"


@pytest.mark.slow
def test_certificates(space: Space) -> None:
    host = space.serve_inside()
    known = certificates.known_authority(space.kube, OPERATOR_NAMESPACE, AUTHORITY)
    route = ingress(host, "/chat")
    route["spec"]["tls"] = [{"hosts": [host], "secretName": "certificate"}]
    space.create(certificates.issue(certificates.authority(), host).secret("certificate"))
    put(space, route)

    found = await_fault(space, "CertificateNotTrusted")
    assert found.message.startswith(APP_ANSWERS) and f"https://{host}/chat/" in found.message

    for pair, reason in (
        (certificates.issue(known, host, days=-1), "CertificateExpired"),
        (certificates.issue(known, f"other.{host}"), "CertificateNotTrusted"),  # Traefik shows its own instead
    ):
        space.patch("Secret", {"data": pair.secret("certificate")["data"]}, "certificate")
        await_fault(space, reason)

    space.patch("Secret", {"data": certificates.issue(known, host).secret("certificate")["data"]}, "certificate")
    await_reachable(space)


@pytest.mark.slow
def test_replicas_with_a_secure_cookie_need_https(space: Space) -> None:
    host = space.serve_inside()
    secure = {"traefik.ingress.kubernetes.io/service.sticky.cookie.secure": "true"}
    put(space, ingress(host, "/chat"), replicas=2)
    space.patch("Service", {"metadata": {"annotations": STICKY | secure}})
    await_fault(space, "SessionLost")

    known = certificates.known_authority(space.kube, OPERATOR_NAMESPACE, AUTHORITY)
    space.create(certificates.issue(known, host).secret("certificate"))
    space.patch("Ingress", {"spec": {"tls": [{"hosts": [host], "secretName": "certificate"}]}})
    await_reachable(space)


@pytest.mark.slow
def test_faults_of_the_edge_and_of_the_app(space: Space) -> None:
    route = ingress(space.serve_inside(), "/chat")
    route["spec"]["ingressClassName"] = "nobody"
    put(space, route)

    found = await_fault(space, "HandshakeNotFound")
    assert found.message.startswith(APP_ANSWERS) and "serves the route" in found.message

    space.patch("Ingress", {"spec": {"ingressClassName": "traefik"}})
    await_reachable(space)

    set_target_port(space, 9)
    found = await_fault(space, "ServerError")
    assert found.message.startswith("The app does not answer through its Service either")
    assert "nothing listens" in found.message and "status 502" in found.message

    set_target_port(space, "http")
    await_reachable(space)


@pytest.mark.slow
def test_an_http_route_is_asked_at_its_gateways_port(space: Space) -> None:
    put(space, http_route(http_rule(path_match("/chat")), hostnames=[space.serve_inside()]))
    await_reachable(space)
    assert space.chat("/chat") == "echo: hello"


@pytest.mark.slow
def test_a_redirect_to_https_is_what_browsers_follow(space: Space) -> None:
    """Traefik redirects whole entry points; here a Middleware does it, and the same Ingress answers by https."""
    host = space.serve_inside()
    known = certificates.known_authority(space.kube, OPERATOR_NAMESPACE, AUTHORITY)
    redirect = middleware("https", {"redirectScheme": {"scheme": "https", "permanent": True}})
    # The certificate comes with an Ingress of its own, as with one for the whole controller.
    other = ingress(host, "/elsewhere", "elsewhere")
    other["spec"]["tls"] = [{"hosts": [host], "secretName": "certificate"}]
    space.create(redirect, certificates.issue(known, host).secret("certificate"), service("elsewhere", "chat"), other)
    put(space, ingress(host, "/chat", annotations=middlewares(space, "https")))
    space.patch("ChainlitApp", {"spec": {"route": {"ref": {"kind": "Ingress", "name": "chat"}}}})

    await_reachable(space)


@pytest.mark.slow
def test_a_route_without_a_host_is_asked_at_the_address_in_its_status(space: Space) -> None:
    """Traefik tells 127.0.0.1 here, which is never asked."""
    route = ingress(space.host, "/chat")
    del route["spec"]["rules"][0]["host"]
    route["spec"]["ingressClassName"] = "nobody"
    put(space, route)
    found = space.await_condition("WebSocketReachable", "Unknown", "RouteWithoutAddress")
    assert "Add a host" in found.message

    space.kubectl(
        *("patch", "ingress", "chat", "--subresource=status", "--type=merge", "--patch"),
        '{"status": {"loadBalancer": {"ingress": [{"ip": "127.0.0.1"}]}}}',
    )
    assert await_fault(space, "AddressForbidden").message.startswith(APP_ANSWERS)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["kubernetes.default.svc.cluster.local", "operator"])
def test_the_api_server_and_the_operator_are_not_asked(space: Space, operator: Operator, name: str) -> None:
    host = f"{operator.pods()[0]['status']['podIP'].replace('.', '-')}.{OPERATOR_NAMESPACE}.pod.cluster.local"
    put(space, ingress(host if name == "operator" else name, "/chat"))
    await_fault(space, "AddressForbidden")


@pytest.mark.slow
def test_ready_means_that_chats_succeed_from_then_on(space: Space) -> None:
    """Traefik drops an old pod a moment later than the Service does."""
    put(space, ingress(space.serve_inside(), "/chat"))
    await_reachable(space)
    for path in ("/one", "/two"):
        space.move(path)
        space.await_moved(path)
        assert [space.chat(path) for _ in range(10)] == ["echo: hello"] * 10


@pytest.mark.slow
@pytest.mark.xdist_group("operator")
def test_nothing_is_written_while_nothing_changes(space: Space, operator: Operator) -> None:
    put(space, ingress(space.serve_inside(), "/chat"))
    space.create(
        pods(space, name="broken"),
        service("broken"),
        ingress(f"nowhere.{space.name}.svc.cluster.local", "/chat", "broken"),
        chainlit_app("broken", workload="broken", verification={"mode": "Edge", "intervalSeconds": 10}),
    )
    await_reachable(space)
    space.await_condition("WebSocketReachable", "False", "DNSLookupFailed", "broken")
    writes, _ = at_rest(space)
    asked = operator.metric("chainlit_operator_verifications_total")
    eventually(lambda: operator.metric("chainlit_operator_verifications_total") >= asked + 8, timeout=2 * START)
    assert space.cluster.audit(space.name) == writes


def set_host(space: Space, host: str) -> None:
    rules = space.get("Ingress")["spec"]["rules"]
    rules[0]["host"] = host
    space.patch("Ingress", {"spec": {"rules": rules}})


def set_target_port(space: Space, port: int | str) -> None:
    space.patch("Service", {"spec": {"ports": [{"name": "http", "port": 80, "targetPort": port}]}})
