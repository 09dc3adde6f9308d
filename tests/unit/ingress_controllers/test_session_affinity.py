"""The condition SessionAffinity, from manifests as people write them to the message that they read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.objects import (
    Object,
    backend_ref,
    chainlit_app,
    container,
    gateway,
    gateway_ref,
    http_route,
    http_rule,
    ingress,
    ingress_path,
    ingress_rule,
    path_match,
    resource,
    service,
    workload,
)
from tests.reported import conditions
from tests.unit.domain.world import assert_plain

SPREAD = "Deployment shop/chat has several replicas"
LOST = f"{SPREAD}, and nothing keeps the requests of a browser at the pod with its session."
NEEDED = f"{SPREAD}, which needs session affinity."
EXTERNAL = "If something else keeps the requests of a browser at one pod, set spec.route.affinity to External."
NGINX, F5, KONG = "nginx.ingress.kubernetes.io", "nginx.org", "konghq.com"
TRAEFIK, ALB, OPENSHIFT = "traefik.ingress.kubernetes.io", "alb.ingress.kubernetes.io", "haproxy.router.openshift.io"
STICKY = f"{TRAEFIK}/service.sticky.cookie"
GROUP = "gateway.networking.k8s.io"


def kept(what: str) -> str:
    return f"{what} keeps the requests of a browser at one pod."


def unread(title: str, remedy: str) -> str:
    return f"{NEEDED} It may be in objects of {title} that the operator does not read. {EXTERNAL} {remedy}"


def unclear(key: str, remedy: str) -> str:
    return f"{NEEDED} The operator does not know what the annotation {key} does or names. {EXTERNAL} {remedy}"


NGINX_REMEDY = (
    f"For ingress-nginx, set the annotation {NGINX}/affinity: cookie on Ingress chat. For F5 NGINX, set the annotation "
    f'{F5}/sticky-cookie-services: "serviceName=chat chat_affinity path=/" on Ingress chat.'
)
F5_REMEDY = f'Set the annotation {F5}/sticky-cookie-services: "serviceName=chat chat_affinity path=/" on Ingress chat.'
TRAEFIK_REMEDY = f'Set the annotation {STICKY}: "true" on Service chat.'
HAPROXY_REMEDY = (
    "For haproxy-ingress, set the annotation haproxy-ingress.github.io/affinity: cookie on Ingress chat. For HAProxy, "
    "set the annotation haproxy.org/cookie-persistence: chat_affinity on Ingress chat."
)
KONG_REMEDY = (
    "Create a KongUpstreamPolicy that hashes on a cookie, and name it in the annotation konghq.com/upstream-policy on "
    "Service chat."
)
ALB_REMEDY = (
    f"Set the annotations {ALB}/target-group-attributes: stickiness.enabled=true,stickiness.type=lb_cookie and "
    f"{ALB}/target-type: ip on Ingress chat."
)
GKE_REMEDY = (
    "Create a BackendConfig with sessionAffinity GENERATED_COOKIE, and name it in cloud.google.com/backend-config on "
    "Service chat."
)
ISTIO_REMEDY = "Create a DestinationRule with consistentHash by httpCookie for Service chat."
SKIPPER_REMEDY = "Set the annotation zalando.org/skipper-loadbalancer: consistentHash on Ingress chat."
UNKNOWN = f"{NEEDED} The operator does not know the controller of the route. {EXTERNAL}"
CLIENT_IP = (
    f"{NEEDED} By the annotation {{}} the requests go to the Service, which keeps each client address at one pod."
)


@dataclass(frozen=True)
class Case:
    """An Ingress of a class with annotations, and the Service behind it; two pods."""

    class_name: str
    route: Mapping[str, str] = field(default_factory=dict)
    service: Mapping[str, str] = field(default_factory=dict)
    client_ip: bool = False


#: (case, status, reason, message)
INGRESSES = [
    # Traefik reads the annotation of the Service.
    (Case("traefik"), "False", "NotSticky", f"{LOST} {TRAEFIK_REMEDY}"),
    (Case("traefik", {STICKY: "true"}), "False", "NotSticky", f"{LOST} {TRAEFIK_REMEDY}"),
    (Case("traefik", service={STICKY: "true"}), "True", "Sticky", kept(f"The annotation {STICKY}")),
    (Case("traefik", service={STICKY: "false"}), "False", "NotSticky", f"{LOST} {TRAEFIK_REMEDY}"),
    (Case("traefik", service={f"{STICKY}.name": "x"}), "True", "Sticky", kept(f"The annotation {STICKY}.name")),
    (
        Case("traefik", service={f"{STICKY}.name": "x", STICKY: "false"}),
        "False",
        "NotSticky",
        f"{LOST} {TRAEFIK_REMEDY}",
    ),
    (
        Case("traefik", service={f"{TRAEFIK}/service.nativelb": "true", STICKY: "true"}),
        "False",
        "NotSticky",
        f"{LOST} Remove the annotation {TRAEFIK}/service.nativelb, which sends them to the Service. {TRAEFIK_REMEDY}",
    ),
    (
        Case("traefik", service={f"{TRAEFIK}/service.nativelb": "true"}, client_ip=True),
        "Unknown",
        "AffinityNotKnown",
        f"{CLIENT_IP.format(f'{TRAEFIK}/service.nativelb')} {EXTERNAL} Remove the annotation "
        f"{TRAEFIK}/service.nativelb, which sends them to the Service. {TRAEFIK_REMEDY}",
    ),
    (
        Case("traefik", service={f"{TRAEFIK}/service.nativelb": "false"}),
        "False",
        "NotSticky",
        f"{LOST} {TRAEFIK_REMEDY}",
    ),
    (
        Case("traefik", client_ip=True),
        "False",
        "NotSticky",
        f"{LOST} The Service's sessionAffinity ClientIP has no effect, because Traefik sends requests to the pods. "
        f"{TRAEFIK_REMEDY}",
    ),
    (Case("traefik", {f"{NGINX}/affinity": "cookie"}), "False", "NotSticky", f"{LOST} {TRAEFIK_REMEDY}"),
    # ingress-nginx reads the annotations of the Ingress; F5 NGINX has a class of the same name.
    (Case("nginx"), "False", "NotSticky", f"{LOST} {NGINX_REMEDY}"),
    (Case("nginx", {f"{NGINX}/affinity": "cookie"}), "True", "Sticky", kept(f"The annotation {NGINX}/affinity")),
    (Case("nginx", {f"{NGINX}/affinity": "none"}), "False", "NotSticky", f"{LOST} {NGINX_REMEDY}"),
    (Case("nginx", service={f"{NGINX}/affinity": "cookie"}), "False", "NotSticky", f"{LOST} {NGINX_REMEDY}"),
    (
        Case("nginx", {f"{NGINX}/upstream-hash-by": "$remote_addr"}),
        "True",
        "Sticky",
        kept(f"The annotation {NGINX}/upstream-hash-by"),
    ),
    (
        Case("nginx", {f"{NGINX}/upstream-hash-by": '"$cookie_X-Chainlit-Session-id"'}),
        "True",
        "Sticky",
        kept(f"The annotation {NGINX}/upstream-hash-by"),
    ),
    (
        Case("nginx", {f"{NGINX}/upstream-hash-by": "$remote_addr", f"{NGINX}/upstream-hash-by-subset": "true"}),
        "Unknown",
        "AffinityNotKnown",
        unclear(f"{NGINX}/upstream-hash-by", f"Set the annotation {NGINX}/affinity: cookie on Ingress chat."),
    ),
    (
        Case("nginx", {f"{NGINX}/upstream-hash-by": "$request_uri"}),
        "Unknown",
        "AffinityNotKnown",
        unclear(f"{NGINX}/upstream-hash-by", f"Set the annotation {NGINX}/affinity: cookie on Ingress chat."),
    ),
    (
        Case("nginx", {f"{NGINX}/service-upstream": "true", f"{NGINX}/affinity": "cookie"}),
        "False",
        "NotSticky",
        f"{LOST} For ingress-nginx, remove the annotation {NGINX}/service-upstream, which sends them to the Service. "
        f"Set the annotation {NGINX}/affinity: cookie on Ingress chat. For F5 NGINX, set{F5_REMEDY[3:]}",
    ),
    (
        Case("nginx", client_ip=True),
        "False",
        "NotSticky",
        f"{LOST} The Service's sessionAffinity ClientIP has no effect, because ingress-nginx sends requests to the "
        f"pods. {NGINX_REMEDY}",
    ),
    (
        Case("webapprouting.kubernetes.azure.com"),
        "False",
        "NotSticky",
        f"{LOST} Set the annotation {NGINX}/affinity: cookie on Ingress chat.",
    ),
    (
        Case("nginx", {f"{F5}/websocket-services": "chat"}),
        "Unknown",
        "AffinityNotKnown",
        unclear(f"{F5}/websocket-services", F5_REMEDY),
    ),
    (
        Case("nginx", {f"{F5}/sticky-cookie-services": "serviceName=chat c path=/"}),
        "True",
        "Sticky",
        kept(f"The annotation {F5}/sticky-cookie-services"),
    ),
    (
        Case("nginx", {"nginx.com/sticky-cookie-services": "serviceName=x c;serviceName=chat c"}),
        "True",
        "Sticky",
        kept("The annotation nginx.com/sticky-cookie-services"),
    ),
    (
        Case("nginx", {f"{F5}/sticky-cookie-services": "serviceName=other c path=/"}),
        "Unknown",
        "AffinityNotKnown",
        unclear(f"{F5}/sticky-cookie-services", F5_REMEDY),
    ),
    (Case("nginx", {f"{F5}/lb-method": "ip_hash"}), "True", "Sticky", kept(f"The annotation {F5}/lb-method")),
    (
        Case("nginx", {f"{F5}/lb-method": "hash $remote_addr consistent"}),
        "True",
        "Sticky",
        kept(f"The annotation {F5}/lb-method"),
    ),
    (
        Case("nginx", {f"{F5}/lb-method": "round_robin"}),
        "Unknown",
        "AffinityNotKnown",
        unclear(f"{F5}/lb-method", F5_REMEDY),
    ),
    (
        Case("nginx", {f"{F5}/lb-method": "hash $request_uri"}),
        "Unknown",
        "AffinityNotKnown",
        unclear(f"{F5}/lb-method", F5_REMEDY),
    ),
    # HAProxy: both controllers may have it in a ConfigMap.
    (Case("haproxy"), "Unknown", "AffinityNotKnown", unread("haproxy-ingress or HAProxy", HAPROXY_REMEDY)),
    (
        Case("haproxy", {"haproxy.org/cookie-persistence": "c"}),
        "True",
        "Sticky",
        kept("The annotation haproxy.org/cookie-persistence"),
    ),
    (
        Case("haproxy", {"haproxy.org/cookie-persistence-no-dynamic": "c"}),
        "True",
        "Sticky",
        kept("The annotation haproxy.org/cookie-persistence-no-dynamic"),
    ),
    (
        Case("haproxy", {"haproxy.org/cookie-persistence": ""}),
        "Unknown",
        "AffinityNotKnown",
        unread("haproxy-ingress or HAProxy", HAPROXY_REMEDY),
    ),
    (
        Case("haproxy", service={"haproxy.org/load-balance": "source"}),
        "True",
        "Sticky",
        kept("The annotation haproxy.org/load-balance"),
    ),
    (
        Case("haproxy", {"haproxy-ingress.github.io/affinity": "cookie"}),
        "True",
        "Sticky",
        kept("The annotation haproxy-ingress.github.io/affinity"),
    ),
    (
        Case("haproxy", service={"ingress.kubernetes.io/balance-algorithm": "source"}),
        "True",
        "Sticky",
        kept("The annotation ingress.kubernetes.io/balance-algorithm"),
    ),
    # Contour has none.
    (
        Case("contour"),
        "False",
        "NotSticky",
        f"{LOST} Contour has none for an Ingress. Use an HTTPProxy with loadBalancerPolicy strategy Cookie in its "
        "place, or run one pod.",
    ),
    # Kong: the Service names a policy.
    (Case("kong"), "False", "NotSticky", f"{LOST} {KONG_REMEDY}"),
    (
        Case("kong", service={f"{KONG}/upstream-policy": "chat"}),
        "Unknown",
        "AffinityNotKnown",
        unclear(f"{KONG}/upstream-policy", KONG_REMEDY),
    ),
    (
        Case("kong", service={f"{KONG}/override": "chat"}),
        "Unknown",
        "AffinityNotKnown",
        unclear(f"{KONG}/override", KONG_REMEDY),
    ),
    (
        Case("kong", {f"{KONG}/override": "chat"}),
        "Unknown",
        "AffinityNotKnown",
        unclear(f"{KONG}/override", KONG_REMEDY),
    ),
    (
        Case("kong", service={"ingress.kubernetes.io/service-upstream": "true"}),
        "False",
        "NotSticky",
        f"{LOST} Remove the annotation ingress.kubernetes.io/service-upstream, which sends them to the Service. "
        f"{KONG_REMEDY}",
    ),
    # AWS: targets of type ip are pods.
    (Case("alb"), "False", "NotSticky", f"{LOST} {ALB_REMEDY}"),
    (
        Case("alb", {f"{ALB}/target-group-attributes": "a=b, stickiness.enabled=true", f"{ALB}/target-type": "ip"}),
        "True",
        "Sticky",
        kept(f"The annotation {ALB}/target-group-attributes"),
    ),
    (
        Case("alb", {f"{ALB}/target-group-attributes": "stickiness.enabled=true"}),
        "Unknown",
        "AffinityNotKnown",
        unclear(f"{ALB}/target-group-attributes", ALB_REMEDY),
    ),
    (
        Case("alb", service={f"{ALB}/target-group-attributes": "stickiness.enabled=true", f"{ALB}/target-type": "ip"}),
        "True",
        "Sticky",
        kept(f"The annotation {ALB}/target-group-attributes"),
    ),
    (
        Case("alb", {f"{ALB}/target-group-attributes": "deregistration_delay.timeout_seconds=30"}),
        "False",
        "NotSticky",
        f"{LOST} {ALB_REMEDY}",
    ),
    # Azure.
    (
        Case("azure/application-gateway"),
        "False",
        "NotSticky",
        f'{LOST} Set the annotation appgw.ingress.kubernetes.io/cookie-based-affinity: "true" on Ingress chat.',
    ),
    (
        Case("azure-application-gateway", {"appgw.ingress.kubernetes.io/cookie-based-affinity": "true"}),
        "True",
        "Sticky",
        kept("The annotation appgw.ingress.kubernetes.io/cookie-based-affinity"),
    ),
    # Google: a BackendConfig is not read.
    (Case("gce"), "Unknown", "AffinityNotKnown", unread("GKE", GKE_REMEDY)),
    (
        Case("gce-internal", service={"cloud.google.com/backend-config": '{"default": "chat"}'}),
        "Unknown",
        "AffinityNotKnown",
        unclear("cloud.google.com/backend-config", GKE_REMEDY),
    ),
    # Others.
    (Case("istio"), "Unknown", "AffinityNotKnown", unread("Istio", ISTIO_REMEDY)),
    (Case("skipper"), "Unknown", "AffinityNotKnown", unread("Skipper", SKIPPER_REMEDY)),
    (
        Case("skipper", {"zalando.org/skipper-loadbalancer": "consistentHash"}),
        "True",
        "Sticky",
        kept("The annotation zalando.org/skipper-loadbalancer"),
    ),
    (Case("openshift-default"), "True", "Sticky", kept("OpenShift")),
    (
        Case("openshift-default", {f"{OPENSHIFT}/disable_cookies": "true"}),
        "False",
        "NotSticky",
        f"{LOST} Remove the annotation {OPENSHIFT}/disable_cookies from Ingress chat.",
    ),
    (
        Case("openshift-default", {f"{OPENSHIFT}/disable_cookies": "true", f"{OPENSHIFT}/balance": "source"}),
        "True",
        "Sticky",
        kept(f"The annotation {OPENSHIFT}/balance"),
    ),
    # A class that says nothing: a setting counts, whoever reads it.
    (Case("public"), "Unknown", "AffinityNotKnown", UNKNOWN),
    (Case(""), "Unknown", "AffinityNotKnown", UNKNOWN),
    (Case("", {f"{NGINX}/affinity": "cookie"}), "True", "Sticky", kept(f"The annotation {NGINX}/affinity")),
    (Case("public", service={STICKY: "true"}), "True", "Sticky", kept(f"The annotation {STICKY}")),
    (Case("public", {f"{F5}/websocket-services": "chat"}), "Unknown", "AffinityNotKnown", UNKNOWN),
    (
        Case("public", service={f"{TRAEFIK}/service.nativelb": "true", STICKY: "true"}),
        "Unknown",
        "AffinityNotKnown",
        UNKNOWN,
    ),
    (Case("public", client_ip=True), "Unknown", "AffinityNotKnown", UNKNOWN),
]


def objects(case: Case, replicas: int = 2, pod: Object | None = None, **spec: Any) -> list[Object]:
    """The objects of a case."""
    extra: dict[str, Any] = {"sessionAffinity": "ClientIP"} if case.client_ip else {}
    # F5 NGINX refuses WebSockets else.
    is_f5 = any(key.startswith((f"{F5}/", "nginx.com/")) for key in case.route)
    sockets = {f"{F5}/websocket-services": "chat"} if is_f5 else {}
    return [
        workload(pod or container(), replicas=replicas),
        service(metadata={"annotations": dict(case.service)}, **extra),
        ingress("example.com", ingress_class=case.class_name or None, annotations={**case.route, **sockets}),
        chainlit_app(**spec),
    ]


def told(found: list[Object]) -> tuple[str, str, str]:
    """Status, reason and message of the condition."""
    condition = conditions(found)["SessionAffinity"]
    return condition.status, condition.reason, condition.message


@pytest.mark.parametrize(("case", "status", "reason", "message"), INGRESSES)
def test_ingress(case: Case, status: str, reason: str, message: str) -> None:
    found = conditions(objects(case))
    affinity, ready = found["SessionAffinity"], found["Ready"]
    assert (affinity.status, affinity.reason, affinity.message) == (status, reason, message)
    expected = (status, reason, message) if status == "False" else ("True", "Ready", ready.message)
    assert (ready.status, ready.reason, ready.message) == expected
    # One pod needs none, and a statement is believed.
    assert told(objects(case, replicas=1))[:2] == ("True", "Sticky" if status == "True" else "SinglePod")
    assert told(objects(case, route={"affinity": "External"}))[:2] == ("True", "StatedExternal")


@pytest.mark.parametrize("case", [case for case, status, *_ in INGRESSES if status == "False"], ids=str)
def test_the_printed_remedy_is_one(case: Case) -> None:
    """What the message says is done word for word, and the condition is True."""
    made = objects(case)
    message = told(made)[2]
    settings = re.findall(r'annotations? (\S+): ("[^"]*"|\S+)(?: and (\S+): (\S+))? on (Ingress|Service) chat', message)
    if not settings:
        assert "Contour" in message or "KongUpstreamPolicy" in message or "disable_cookies" in message
        return
    for obj in made:
        annotations = obj["metadata"].get("annotations", {})
        for key in re.findall(r"[Rr]emove the annotation ([^\s,]+)", message):
            annotations.pop(key, None)
        for first, value, second, other, kind in settings[:1]:
            if obj["kind"] == kind:
                obj["metadata"]["annotations"] = (
                    annotations | {first: value.strip('"')} | ({second: other} if second else {})
                )
    assert told(made)[:2] == ("True", "Sticky")


@pytest.mark.parametrize("message", sorted({message for *_, message in INGRESSES}))
def test_messages_are_plain(message: str) -> None:
    assert_plain(re.sub(r"GENERATED_COOKIE|HTTPProxy|HAProxy|NGINX|GKE|AWS", "It", message))
    assert len(message) < 600


# ------------------------------------------------------------------------------------------------------- HTTPRoutes


def gateway_objects(class_name: str, *rules: Object, annotations: Mapping[str, str] | None = None) -> list[Object]:
    listener = {"name": "web", "port": 80, "protocol": "HTTP"}
    return [
        workload(container(), replicas=2),
        service(metadata={"annotations": dict(annotations or {})}),
        service("other", selector={"app": "other"}),
        http_route(*rules, parents=[gateway_ref("edge", "shop")]),
        gateway(listener, metadata={"namespace": "shop"}, gatewayClassName=class_name),
        chainlit_app(),
    ]


PLAIN = http_rule(path_match())
PERSISTENT = PLAIN | {"sessionPersistence": {"sessionName": "chat", "type": "Cookie"}}
PERSISTENCE = kept("SessionPersistence of HTTPRoute chat")
ELSEWHERE = http_rule(path_match("/other"), backends=[backend_ref("other")])


@pytest.mark.parametrize(
    ("class_name", "rules", "annotations", "expected"),
    [
        ("traefik", [PLAIN], {}, ("False", "NotSticky",
         f"{LOST} Traefik has none for an HTTPRoute to a Service. Use an Ingress, with the annotation {STICKY}: "
         '"true" on Service chat, or run one pod.')),
        ("traefik", [PERSISTENT], {STICKY: "true"}, ("False", "NotSticky",
         f"{LOST} Traefik has none for an HTTPRoute to a Service. Use an Ingress, with the annotation {STICKY}: "
         '"true" on Service chat, or run one pod.')),
        ("contour", [PERSISTENT], {}, ("False", "NotSticky",
         f"{LOST} Contour has none for an HTTPRoute. Use an HTTPProxy with loadBalancerPolicy strategy Cookie in its "
         "place, or run one pod.")),
        ("eg", [PERSISTENT], {}, ("True", "Sticky", PERSISTENCE)),
        ("eg", [PERSISTENT, ELSEWHERE], {}, ("True", "Sticky", PERSISTENCE)),
        ("eg", [PERSISTENT, http_rule(path_match("/chat/ws"))], {}, ("Unknown", "AffinityNotKnown",
         unread("Envoy Gateway",
                "Create a BackendTrafficPolicy with consistentHash by cookie for HTTPRoute chat."))),
        ("eg", [PLAIN, ELSEWHERE | {"sessionPersistence": {}}], {}, ("Unknown", "AffinityNotKnown",
         unread("Envoy Gateway",
                "Create a BackendTrafficPolicy with consistentHash by cookie for HTTPRoute chat."))),
        ("kong", [PLAIN], {}, ("False", "NotSticky", f"{LOST} {KONG_REMEDY}")),
        ("kong", [PLAIN], {f"{KONG}/upstream-policy": "chat"}, ("Unknown", "AffinityNotKnown",
         unclear(f"{KONG}/upstream-policy", KONG_REMEDY))),
        ("istio", [PLAIN], {}, ("Unknown", "AffinityNotKnown", unread("Istio", ISTIO_REMEDY))),
        ("gke-l7-rilb", [PLAIN], {}, ("Unknown", "AffinityNotKnown", unread("GKE",
         "Create a GCPBackendPolicy with sessionAffinity GENERATED_COOKIE for Service chat."))),
        ("cilium", [PLAIN], {}, ("Unknown", "AffinityNotKnown", UNKNOWN)),
        ("cilium", [PERSISTENT], {}, ("True", "Sticky", PERSISTENCE)),
    ],
)  # fmt: skip
def test_http_route(
    class_name: str, rules: list[Object], annotations: dict[str, str], expected: tuple[str, str, str]
) -> None:
    assert told(gateway_objects(class_name, *rules, annotations=annotations)) == expected


def test_a_route_of_another_namespace_is_named_with_it() -> None:
    route = http_route(http_rule(path_match(), backends=[backend_ref(namespace="shop")]), parents=[gateway_ref("edge")])
    route["metadata"]["namespace"] = "traefik"
    made = gateway_objects("eg")
    made[3], made[4]["metadata"]["namespace"] = route, "traefik"
    grant = {"from": [{"group": GROUP, "kind": "HTTPRoute", "namespace": "traefik"}], "to": [{"kind": "Service"}]}
    found = told([*made, resource("ReferenceGrant", spec=grant)])
    remedy = "Create a BackendTrafficPolicy with consistentHash by cookie for HTTPRoute traefik/chat."
    assert found == ("Unknown", "AffinityNotKnown", unread("Envoy Gateway", remedy))


@pytest.mark.parametrize(("class_name", "is_warned"), [("gke-l7-rilb", True), ("istio", False), ("own", False)])
def test_a_gateway_of_gke_has_a_health_check_of_its_own(class_name: str, *, is_warned: bool) -> None:
    message = conditions(gateway_objects(class_name, PLAIN))["RouteResolved"].message
    assert ("HealthCheckPolicy" in message) is is_warned


def test_gateways_of_two_classes_are_not_judged() -> None:
    found = gateway_objects("traefik", PLAIN)
    found[3]["spec"]["parentRefs"].append(gateway_ref("second", "shop"))
    listener = {"name": "web", "port": 80, "protocol": "HTTP"}
    found.append(gateway(listener, name="second", metadata={"namespace": "shop"}, gatewayClassName="contour"))
    assert told(found) == ("Unknown", "AffinityNotKnown", UNKNOWN)


def test_a_gateway_that_is_not_known() -> None:
    found = [obj for obj in gateway_objects("traefik", PLAIN) if obj["kind"] != "Gateway"]
    assert told(found) == ("Unknown", "AffinityNotKnown", UNKNOWN)


# ------------------------------------------------------------------------------------------------- pods and workers

WORKERS = (
    "Container chainlit of Deployment shop/chat starts several worker processes ({}), and a session is in the memory "
    "of one of them: no ingress controller can choose between them. Start one worker, and set replicas for more."
)
PERHAPS = (
    "Container chainlit of Deployment shop/chat may start several worker processes ({}). Each has sessions of its own: "
    "start one worker, and set replicas for more."
)
GUNICORN = container(command=["gunicorn", "-w", "2", "-k", "uvicorn.workers.UvicornWorker", "main:app"])
IMAGE = container(env={"WEB_CONCURRENCY": "4"})
UNSURE = PERHAPS.format("WEB_CONCURRENCY 4, if the image's command reads it")
SINGLE = "At most one process serves the app, so it needs no session affinity."
SET = Case("traefik", service={STICKY: "true"})
STATED = {"affinity": "External"}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (objects(Case("traefik"), 1), ("True", "SinglePod", SINGLE)),
        (objects(Case("traefik"), 0), ("True", "SinglePod", SINGLE)),
        (objects(SET, 1, GUNICORN), ("False", "SeveralWorkers", WORKERS.format("gunicorn -w 2"))),
        (objects(SET, 2, GUNICORN), ("False", "SeveralWorkers", WORKERS.format("gunicorn -w 2"))),
        (objects(SET, 1, GUNICORN, route=STATED), ("False", "SeveralWorkers", WORKERS.format("gunicorn -w 2"))),
        (objects(SET, 1, IMAGE), ("Unknown", "WorkersNotKnown", UNSURE)),
        (objects(SET, 2, IMAGE), ("Unknown", "WorkersNotKnown", UNSURE)),
        (objects(SET, 1, IMAGE, route=STATED), ("Unknown", "WorkersNotKnown", UNSURE)),
        (objects(Case("traefik"), 2, IMAGE), ("False", "NotSticky", f"{LOST} {TRAEFIK_REMEDY}")),
        (objects(SET, 2, route=STATED),
         ("True", "StatedExternal",
          "spec.route.affinity is External: something that the operator does not read keeps a browser at one pod.")),
        (objects(SET, 2, route={"ref": {"name": "none"}}),
         ("Unknown", "AffinityNotKnown", f"{NEEDED} No path could be resolved: see the condition RouteResolved.")),
        (objects(SET, 2)[1:],
         ("Unknown", "AffinityNotKnown", "There are no pods. See the condition Aligned.")),
    ],
)  # fmt: skip
def test_pods_and_workers(found: list[Object], expected: tuple[str, str, str]) -> None:
    assert told(found) == expected


def test_workers_of_another_container_do_not_count() -> None:
    made = objects(Case("traefik"), 1)
    made[0] = workload(container(), container("jobs", command=["gunicorn", "-w", "4"]), replicas=1)
    assert told(made)[:2] == ("True", "SinglePod")


def test_scaling_changes_no_other_word() -> None:
    assert told(objects(Case("traefik"), 2)) == told(objects(Case("traefik"), 7))
    assert told(objects(SET, 0)) == told(objects(SET, 1)) == told(objects(SET, 2))
    stated = [told(objects(Case("nobody"), replicas, route=STATED)) for replicas in (0, 1, 2)]
    assert stated == [stated[0]] * 3


def test_not_ready_although_the_web_socket_answers() -> None:
    """Only False counts: one rule before another gives Ready its reason."""
    unresolved = conditions(objects(Case("traefik"), 2, route={"ref": {"name": "none"}}))
    assert unresolved["Ready"].reason == "RouteNotFound"


def test_the_setting_of_another_service_does_not_count() -> None:
    made = objects(Case("traefik"))
    made += [service("other", "chat", metadata={"annotations": {STICKY: "true"}})]
    assert told(made)[:2] == ("False", "NotSticky")


def test_a_path_to_another_service_does_not_count() -> None:
    made = objects(SET)
    rules = [ingress_rule(ingress_path("/chat"), ingress_path("/other", service="other"), host="example.com")]
    made[2] = ingress(rules=rules, ingress_class="traefik")
    assert told(made)[:2] == ("True", "Sticky")


# ---------------------------------------------------------------------------------------- routes together, workloads


def second_ingress(path: str, annotations: Mapping[str, str]) -> Object:
    return ingress("example.com", path, "second", ingress_class="nginx", annotations=annotations, rules=[
        ingress_rule(ingress_path(path), host="example.com")
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("path", "annotations", "expected"),
    [
        ("/chat/ws", {}, ("False", "NotSticky")),
        ("/chat/project", {}, ("False", "NotSticky")),
        ("/chat/project/file", {}, ("False", "NotSticky")),
        ("/chat/mcp", {}, ("False", "NotSticky")),
        ("/chat", {}, ("False", "NotSticky")),
        ("/chat/ws", {f"{NGINX}/affinity": "cookie"}, ("True", "Sticky")),
        ("/chat/ws", {f"{F5}/websocket-services": "chat"}, ("Unknown", "AffinityNotKnown")),
        ("/chat/slack/events", {}, ("True", "Sticky")),
        ("/chat/public", {}, ("True", "Sticky")),
    ],
)
def test_every_route_that_carries_a_session_counts(
    path: str, annotations: dict[str, str], expected: tuple[str, str]
) -> None:
    made = [*objects(Case("nginx", {f"{NGINX}/affinity": "cookie"})), second_ingress(path, annotations)]
    found = told(made)
    assert found[:2] == expected
    if expected[0] == "False":
        assert "on Ingress second." in found[2]


OLD = "Deployment shop/chat-old"
SHARED = f"Service chat leads to pods of Deployment shop/chat and of {OLD}"


def old(*containers: Object, replicas: int = 1, app: str = "chat") -> Object:
    return workload(*(containers or [container()]), name="chat-old", labels={"app": app, "v": "1"}, replicas=replicas)


def test_two_workloads_behind_one_service_are_named() -> None:
    found = told([*objects(Case("traefik"), 1), old()])
    assert found == (
        "False",
        "NotSticky",
        f"{SHARED}, and nothing keeps the requests of a browser at the pod with its session. Let the Service select "
        f"one of them. For both: set{TRAEFIK_REMEDY[3:]}",
    )
    assert told([*objects(Case("public"), 1), old()])[2] == (
        f"{SHARED}, which needs session affinity. The operator does not know the controller of the route. {EXTERNAL}"
    )
    assert told([*objects(SET, 1), old()]) == ("True", "Sticky", kept(f"The annotation {STICKY}"))


@pytest.mark.parametrize(
    "other",
    [
        old(replicas=0),
        old(app="other"),
        # The Service's port is a named one that these pods do not have, so they are not behind it.
        old(container("redis", port=None)),
    ],
)
def test_a_workload_that_gets_no_request_does_not_count(other: Object) -> None:
    assert told([*objects(Case("traefik"), 1), other])[:2] == ("True", "SinglePod")


def test_a_service_without_a_route_does_not_count() -> None:
    both = service("both", selector={"team": "x"}, ports=[{"port": 80, "targetPort": 8000}])
    made = objects(Case("traefik"), 1)
    made[0]["spec"]["template"]["metadata"]["labels"]["team"] = "x"
    other = workload(container(), name="chat-old", labels={"team": "x"})
    assert told([*made, both, other])[:2] == ("True", "SinglePod")
    made[2] = ingress(rules=[ingress_rule(ingress_path("/chat", service="both", port=80), host="example.com")])
    assert told([*made, both, other])[:2] == ("False", "NotSticky")


def test_a_stated_url_alone_is_not_judged() -> None:
    made = [obj for obj in objects(SET, route={"url": "https://example.com/chat"}) if obj["kind"] != "Ingress"]
    assert told(made) == ("Unknown", "AffinityNotKnown", UNKNOWN)
