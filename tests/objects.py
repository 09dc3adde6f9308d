"""Kubernetes objects as JSON: every object that tests put into a cluster or hand to the operator is built here.

The defaults describe one chat app: its workload, Service, route and ChainlitApp are named ``chat``, its pods have the
label ``app: chat``, and the port ``http`` is 8000 in the container and 80 in the Service. A keyword argument that is
None leaves its field out. The result is a plain dict that the caller may change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chainlit_operator.kinds import registry

Object = dict[str, Any]
Fields = Mapping[str, Any]

_RBAC, _ADMISSION = "/apis/rbac.authorization.k8s.io/v1", "/apis/admissionregistration.k8s.io/v1"
#: Kinds that have no namespace: kind → (API path of group and version, plural)
CLUSTER_RESOURCES = {
    "Namespace": ("/api/v1", "namespaces"),
    "Node": ("/api/v1", "nodes"),
    "CustomResourceDefinition": ("/apis/apiextensions.k8s.io/v1", "customresourcedefinitions"),
    "ClusterRole": (_RBAC, "clusterroles"),
    "ClusterRoleBinding": (_RBAC, "clusterrolebindings"),
    "ValidatingAdmissionPolicy": (_ADMISSION, "validatingadmissionpolicies"),
    "ValidatingAdmissionPolicyBinding": (_ADMISSION, "validatingadmissionpolicybindings"),
}
#: Kinds that have a namespace: those of the operator, and those that only tests read or write.
NAMESPACED_RESOURCES = {
    "ReferenceGrant": ("/apis/gateway.networking.k8s.io/v1beta1", "referencegrants"),
    **registry.RESOURCES,
    "Pod": ("/api/v1", "pods"),
    "ConfigMap": ("/api/v1", "configmaps"),
    "Secret": ("/api/v1", "secrets"),
    "EndpointSlice": ("/apis/discovery.k8s.io/v1", "endpointslices"),
    "ReplicaSet": ("/apis/apps/v1", "replicasets"),
    "ControllerRevision": ("/apis/apps/v1", "controllerrevisions"),
}
RESOURCES = CLUSTER_RESOURCES | NAMESPACED_RESOURCES


def api_version(kind: str) -> str:
    """Return the apiVersion of a kind, such as ``apps/v1``."""
    return RESOURCES[kind][0].removeprefix("/apis/").removeprefix("/api/")


def path_of(kind: str, namespace: str = "", name: str | None = None) -> str:
    """Return the API path of a kind in a namespace, of a kind in all namespaces (""), or of one object."""
    base, plural = RESOURCES[kind]
    inside = f"/namespaces/{namespace}" if namespace and kind not in CLUSTER_RESOURCES else ""
    return f"{base}{inside}/{plural}" + (f"/{name}" if name else "")


def resource(kind: str, name: str = "chat", *, metadata: Fields | None = None, **fields: Any) -> Object:
    """Return an object of any kind; ``metadata`` holds more of its metadata, ``fields`` all beside it."""
    made = {"apiVersion": api_version(kind), "kind": kind, "metadata": {"name": name, **(metadata or {})}}
    return made | _given(fields)


def stored(made: Object, namespace: str | None, **metadata: Any) -> Object:
    """Return an object as the API server returns it: with uid, resourceVersion, generation and time of creation."""
    name = made["metadata"]["name"]
    given = {"namespace": namespace, "uid": f"uid-of-{name}", "resourceVersion": "7", "generation": 1}
    given["creationTimestamp"] = "2026-01-01T00:00:00Z"
    return made | {"metadata": _given(given) | made["metadata"] | metadata}


def owner_reference(name: str = "chat", uid: str | None = None) -> Object:
    """Return the reference to the ChainlitApp that created an object."""
    ref = {"apiVersion": api_version("ChainlitApp"), "kind": "ChainlitApp", "name": name}
    return ref | {"uid": uid or f"uid-of-{name}", "controller": True}


def _given(fields: Fields) -> Object:
    return {key: value for key, value in fields.items() if value is not None}


# ------------------------------------------------------------------------------------------------- the app and its pods


def chainlit_app(
    name: str = "chat",
    *,
    kind: str = "Deployment",
    workload: str | Object = "chat",
    metadata: Fields | None = None,
    status: Object | None = None,
    **spec: Any,
) -> Object:
    """Return a ChainlitApp for a workload, given by its name or as the whole field; ``spec`` holds more of its spec."""
    if isinstance(workload, str):
        workload = {"ref": {"kind": kind, "name": workload}}
    return resource("ChainlitApp", name, metadata=metadata, spec={"workload": workload} | _given(spec), status=status)


def variables(env: Mapping[str, str | Object]) -> list[Object]:
    """Return the ``env`` of a container; a value is a text, or an object such as ``{"valueFrom": …}``."""
    return [{"name": name} | ({"value": value} if isinstance(value, str) else value) for name, value in env.items()]


def container(
    name: str = "chainlit",
    image: str = "chat",
    *,
    port: int | None = 8000,
    env: Mapping[str, str | Object] | None = None,
    **fields: Any,
) -> Object:
    """Return a container whose port ``http`` is ``port``; ``fields`` holds more of it."""
    made: Object = {"name": name, "image": image}
    if port is not None:
        made["ports"] = [{"name": "http", "containerPort": port}]
    if env is not None:
        made["env"] = variables(env)
    return made | _given(fields)


def http_probe(path: str = "/health", port: int | str = "http", **fields: Any) -> Object:
    """Return a probe by HTTP."""
    return {"httpGet": {"path": path, "port": port}} | fields


def workload(
    *containers: Object,
    kind: str = "Deployment",
    name: str = "chat",
    labels: Mapping[str, str] | None = None,
    pod: Fields | None = None,
    pod_annotations: Mapping[str, str] | None = None,
    metadata: Fields | None = None,
    status: Object | None = None,
    **spec: Any,
) -> Object:
    """Return a workload of one replica.

    ``labels`` are those of its pods, ``pod`` holds more of a pod's spec and ``spec`` more of the workload's.
    """
    labels = dict(labels or {"app": name})
    template = {
        "metadata": _given({"labels": labels, "annotations": pod_annotations}),
        "spec": {"containers": list(containers), **(pod or {})},
    }
    own: Object = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    if kind == "StatefulSet":
        own["serviceName"] = name
    return resource(kind, name, metadata=metadata, spec=_given(own | spec), status=status)


def service(
    name: str = "chat",
    app: str | None = None,
    *,
    selector: Mapping[str, str] | None = None,
    ports: Sequence[Object] | None = None,
    metadata: Fields | None = None,
    **spec: Any,
) -> Object:
    """Return a Service of the pods of ``app``, by default those of the workload of the same name."""
    own = {
        "selector": dict(selector or {"app": app or name}),
        "ports": [*(ports or [{"name": "http", "port": 80, "targetPort": "http"}])],
    }
    return resource("Service", name, metadata=metadata, spec=own | _given(spec))


# ------------------------------------------------------------------------------------------------------------- Ingress


def backend(service: str = "chat", port: int | str = "http") -> Object:
    """Return the backend of an Ingress: a Service, and its port by name or number."""
    return {"service": {"name": service, "port": {"number" if isinstance(port, int) else "name": port}}}


def ingress_path(
    path: str = "/chat", path_type: str = "Prefix", service: str = "chat", port: int | str = "http"
) -> Object:
    """Return an entry of an Ingress; an empty path is left out."""
    return _given({"path": path or None, "pathType": path_type, "backend": backend(service, port)})


def ingress_rule(*paths: Object, host: str | None = None) -> Object:
    """Return a rule of an Ingress: some paths of a host, or of any host."""
    return _given({"host": host, "http": {"paths": list(paths)}})


def ingress(
    host: str | None = None,
    path: str = "/chat",
    name: str = "chat",
    *,
    path_type: str = "Prefix",
    rules: Iterable[Object] | None = None,
    ingress_class: str | None = "traefik",
    annotations: Mapping[str, str] | None = None,
    metadata: Fields | None = None,
    status: Object | None = None,
    **spec: Any,
) -> Object:
    """Return an Ingress whose one path leads to the Service of the same name, or one with other ``rules``."""
    if rules is None:
        rules = [ingress_rule(ingress_path(path, path_type, name), host=host)]
    about = {"annotations": dict(annotations or {})} | dict(metadata or {})
    own = _given({"ingressClassName": ingress_class, "rules": list(rules) or None, **spec})
    return resource("Ingress", name, metadata=about, spec=own, status=status)


# --------------------------------------------------------------------------------------------------------- Gateway API


def path_match(value: str = "/chat", type_: str = "PathPrefix", **more: Any) -> Object:
    """Return a match on a path; ``more`` holds other conditions, such as ``method``."""
    return {"path": {"type": type_, "value": value}} | more


def url_rewrite(**path: str) -> Object:
    """Return a URLRewrite filter of the path."""
    return {"type": "URLRewrite", "urlRewrite": {"path": path}}


def prefix_rewrite(prefix: str) -> Object:
    """Return a URLRewrite filter that replaces the matched prefix."""
    return url_rewrite(type="ReplacePrefixMatch", replacePrefixMatch=prefix)


def redirect(path: str) -> Object:
    """Return a filter that redirects to another path."""
    change = {"type": "ReplaceFullPath", "replaceFullPath": path}
    return {"type": "RequestRedirect", "requestRedirect": {"path": change, "statusCode": 302}}


def extension(name: str, kind: str = "Middleware", group: str = "traefik.io") -> Object:
    """Return a filter that another object describes, by default a Traefik Middleware."""
    return {"type": "ExtensionRef", "extensionRef": {"group": group, "kind": kind, "name": name}}


def backend_ref(name: str = "chat", port: int = 80, **more: Any) -> Object:
    """Return a backend of an HTTPRoute."""
    return {"name": name, "port": port} | more


def http_rule(*matches: Object, filters: Iterable[Object] = (), backends: Iterable[Object] | None = None) -> Object:
    """Return a rule of an HTTPRoute, by default to the Service ``chat``."""
    backends = [backend_ref()] if backends is None else backends
    return {"matches": list(matches), "filters": list(filters), "backendRefs": list(backends)}


def gateway_ref(name: str = "traefik", namespace: str = "traefik", **more: Any) -> Object:
    """Return the reference to a Gateway, by default the one of the test cluster, which is open to all namespaces."""
    return {"name": name, "namespace": namespace} | more


def http_route(
    *rules: Object,
    name: str = "chat",
    hostnames: Iterable[str] = (),
    parents: Iterable[Object] | None = None,
    metadata: Fields | None = None,
    status: Object | None = None,
) -> Object:
    """Return an HTTPRoute, by default on the Gateway of the test cluster."""
    spec = {
        "parentRefs": [gateway_ref()] if parents is None else list(parents),
        "hostnames": list(hostnames),
        "rules": list(rules),
    }
    return resource("HTTPRoute", name, metadata=metadata, spec=spec, status=status)


def gateway(
    *listeners: Object, name: str = "edge", metadata: Fields | None = None, addresses: Sequence[str] = (), **spec: Any
) -> Object:
    """Return a Gateway with listeners; ``addresses`` are the IP addresses in its status."""
    status = {"addresses": [{"type": "IPAddress", "value": address} for address in addresses]}
    return resource("Gateway", name, metadata=metadata, spec=spec | {"listeners": list(listeners)}, status=status)


# ------------------------------------------------------------------------------------------------------------- Contour


def proxy_route(
    prefix: str = "/chat", *conditions: Object, services: Iterable[Object] | None = None, **more: Any
) -> Object:
    """Return a route of an HTTPProxy with WebSockets, by default to the Service ``chat``; an empty prefix is none."""
    own = [{"prefix": prefix}] if prefix else []
    services = [backend_ref()] if services is None else services
    return _given({"conditions": [*own, *conditions], "services": list(services), "enableWebsockets": True} | more)


def replace_prefix(replacement: str, prefix: str | None = None) -> Object:
    """Return the fields of a route that replace its prefix, or only this one."""
    return {"pathRewritePolicy": {"replacePrefix": [_given({"prefix": prefix, "replacement": replacement})]}}


def include(name: str, prefix: str = "", *conditions: Object, namespace: str | None = None) -> Object:
    """Return an include of an HTTPProxy; an empty prefix is none."""
    own = [{"prefix": prefix}] if prefix else []
    return _given({"name": name, "namespace": namespace, "conditions": [*own, *conditions]})


def http_proxy(
    *routes: Object,
    name: str = "chat",
    fqdn: str | None = "example.com",
    tls: Object | None = None,
    includes: Iterable[Object] = (),
    metadata: Fields | None = None,
    status: Object | None = None,
    **spec: Any,
) -> Object:
    """Return an HTTPProxy; one without an FQDN has no virtual host, so that others have to include it."""
    host = None if fqdn is None else _given({"fqdn": fqdn, "tls": tls})
    own = _given({"virtualhost": host, "routes": list(routes) or None, "includes": list(includes) or None, **spec})
    return resource("HTTPProxy", name, metadata=metadata, spec=own, status=status)


# ----------------------------------------------------------------------------------------------------------- OpenShift


def openshift_backend(name: str = "chat", weight: int = 100, kind: str = "Service") -> Object:
    """Return a backend of a Route."""
    return {"kind": kind, "name": name, "weight": weight}


def openshift_route(
    host: str | None = None,
    path: str | None = "/chat",
    name: str = "chat",
    *,
    to: Object | None = None,
    port: int | str | None = "http",
    tls: str | Object | None = "edge",
    annotations: Mapping[str, str] | None = None,
    metadata: Fields | None = None,
    status: Object | None = None,
    **spec: Any,
) -> Object:
    """Return a Route to the Service ``chat``; ``port`` is its targetPort, ``tls`` its termination or all of it."""
    about = {"annotations": dict(annotations or {})} | dict(metadata or {})
    own = {
        "host": host,
        "path": path,
        "to": to or openshift_backend(),
        "port": None if port is None else {"targetPort": port},
        "tls": {"termination": tls} if isinstance(tls, str) else tls,
        **spec,
    }
    return resource("Route", name, metadata=about, spec=_given(own), status=status)


def router_status(host: str, status: str = "True", router: str = "default", **more: str) -> Object:
    """Return the answer of one router in the status of a Route; ``more`` has reason and message."""
    condition = {"type": "Admitted", "status": status} | more
    return {"ingress": [{"host": host, "routerName": router, "conditions": [condition]}]}


# ------------------------------------------------------------------------------------------------------------- Traefik


def router(match: str, *services: Object, **more: Any) -> Object:
    """Return a route of an IngressRoute, by default to port 80 of Service ``chat``."""
    return {"kind": "Rule", "match": match, "services": list(services) or [traefik_service()]} | more


def traefik_service(name: str = "chat", port: int | str = 80, **more: Any) -> Object:
    """Return a service of an IngressRoute."""
    return {"name": name, "port": port} | more


def ingress_route(
    *routers: Object | str,
    name: str = "chat",
    entry_points: Iterable[str] = ("web",),
    metadata: Fields | None = None,
    **spec: Any,
) -> Object:
    """Return an IngressRoute of Traefik; a text is the rule of a route."""
    routes = [router(found) if isinstance(found, str) else found for found in routers]
    spec = {"entryPoints": list(entry_points), "routes": routes} | spec
    return resource("IngressRoute", name, metadata=metadata, spec=spec)


def middleware(name: str, spec: Object, *, metadata: Fields | None = None) -> Object:
    """Return a Traefik Middleware."""
    return resource("Middleware", name, metadata=metadata, spec=spec)


def middleware_reference(*names: str, namespace: str) -> dict[str, str]:
    """Return the annotation by which an Ingress uses Middlewares of a namespace."""
    entries = ",".join(f"{namespace}-{name}@kubernetescrd" for name in names)
    return {"traefik.ingress.kubernetes.io/router.middlewares": entries}


# --------------------------------------------------------------------------------------------------------------- Istio


def destination(host: str = "chat", port: int | None = 80, weight: int | None = None, **more: Any) -> Object:
    """Return a destination of a VirtualService; ``more`` holds other fields of it, such as ``subset``."""
    number = {"port": {"number": port}} if port is not None else {}
    return _given({"destination": {"host": host} | number | more, "weight": weight})


def istio_rule(*matches: Object, to: Iterable[Object] | None = None, **fields: Any) -> Object:
    """Return a rule of a VirtualService, by default to the Service ``chat``; ``fields`` holds others, in camelCase."""
    return _given(
        {"match": list(matches) or None, "route": [destination()] if to is None else list(to) or None, **fields}
    )


def uri(**match: str) -> Object:
    """Return a match of a VirtualService on the path, such as ``uri(prefix="/chat")``."""
    return {"uri": match}


def virtual_service(
    *rules: Object,
    name: str = "chat",
    hosts: Iterable[str] = ("chat.example.com",),
    gateways: Iterable[str] | None = ("gw",),
    metadata: Fields | None = None,
    **spec: Any,
) -> Object:
    """Return a VirtualService on an Istio Gateway of its namespace; without rules its prefix is ``/chat``."""
    own = {
        "hosts": list(hosts),
        "gateways": None if gateways is None else list(gateways),
        "http": list(rules or [istio_rule(uri(prefix="/chat"))]),
    }
    return resource("VirtualService", name, metadata=metadata, spec=_given(own | spec))


def istio_server(
    port: int = 80, protocol: str = "HTTP", hosts: Iterable[str] = ("*",), tls: Fields | None = None
) -> Object:
    """Return a server of an Istio Gateway."""
    return _given(
        {
            "port": {"number": port, "name": f"p{port}", "protocol": protocol},
            "hosts": list(hosts),
            "tls": dict(tls) if tls is not None else None,
        }
    )


def istio_gateway(*servers: Object, name: str = "gw", metadata: Fields | None = None) -> Object:
    """Return an Istio Gateway, under the name that the operator has for its kind; by default it serves http."""
    spec = {"selector": {"istio": "ingressgateway"}, "servers": list(servers or [istio_server()])}
    return resource("IstioGateway", name, metadata=metadata, spec=spec)


def destination_rule(host: str = "chat", name: str = "chat", *, metadata: Fields | None = None, **spec: Any) -> Object:
    """Return a DestinationRule for a host."""
    return resource("DestinationRule", name, metadata=metadata, spec={"host": host, **spec})


def hashed(**key: Any) -> Object:
    """Return a traffic policy with ``consistentHash``, by default by a cookie that Envoy sets."""
    by = key or {"httpCookie": {"name": "chat", "ttl": "0s"}}
    return {"loadBalancer": {"consistentHash": by}}
