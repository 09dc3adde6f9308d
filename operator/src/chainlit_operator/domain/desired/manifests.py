"""Manifests of the objects that a ChainlitApp creates.

All have the app's own name. So the rest of the operator treats a created workload and route like those that ``ref``
names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chainlit_operator.domain import paths
from chainlit_operator.domain.desired import drift, pod_template
from chainlit_operator.domain.model import App, Manifest, NewGateway, NewIngress, ServicePort
from chainlit_operator.object_ref import Ref

API_VERSIONS = {
    "ChainlitApp": "chainlit-operator.dev/v1alpha1",
    "Deployment": "apps/v1",
    "Service": "v1",
    "ServiceAccount": "v1",
    "Ingress": "networking.k8s.io/v1",
    "HTTPRoute": "gateway.networking.k8s.io/v1",
}
#: What ``spec.workload.template`` creates, in order.
TEMPLATE_KINDS = ("ServiceAccount", "Service", "Deployment")
_OPERATOR = "chainlit-operator"
#: Differs from the name in the app chart, so that no Service of one selects pods of the other.
_NAME = "chainlitapp"


def refs(app: App) -> tuple[Ref, ...]:
    """Return the objects that the app's spec describes, in the order of their creation."""
    spec, (_, namespace, name) = app.spec, app.ref
    found = []
    if spec.template is not None:
        fields = pod_template.filled(spec.template)
        if fields["serviceAccount"]["create"]:
            found.append(Ref("ServiceAccount", namespace, _account(app, fields)))
        found.append(Ref("Service", namespace, name))
    if spec.ingress is not None:
        found.append(Ref("Ingress", namespace, name))
    if spec.gateway is not None:
        found.append(Ref("HTTPRoute", namespace, name))
    if spec.template is not None:
        found.append(Ref("Deployment", namespace, name))
    return tuple(found)


def dependencies(app: App) -> list[Manifest]:
    """Return what a created workload needs: its ServiceAccount, if it has one of its own, and its Service."""
    if app.spec.template is None:
        return []
    fields = pod_template.filled(app.spec.template)
    service, account = fields["service"], fields["serviceAccount"]
    port = {
        "name": pod_template.PORT_NAME,
        "port": service["port"],
        "targetPort": pod_template.PORT_NAME,
        "protocol": "TCP",
    }
    spec = {"type": service["type"], "selector": selector(app), "ports": [port]}
    found = [_manifest(app, "Service", {"spec": spec}, annotations=service.get("annotations"))]
    if account["create"]:
        # The app does not talk to Kubernetes.
        body = {"automountServiceAccountToken": False}
        owner = _account(app, fields)
        found.insert(0, _manifest(app, "ServiceAccount", body, owner, annotations=account.get("annotations")))
    return found


def route(app: App, service: str, port: ServicePort) -> Manifest | None:
    """Return the route that the app's spec describes, to a port of a Service; None where it describes none."""
    if app.spec.ingress is not None:
        return _ingress(app, app.spec.ingress, service, port)
    return _http_route(app, app.spec.gateway, service, port) if app.spec.gateway is not None else None


def deployment(app: App, roots: paths.RootPaths) -> Manifest:
    """Return the workload that ``spec.workload.template`` describes, with these root paths."""
    assert app.spec.template is not None
    fields = pod_template.filled(app.spec.template)
    fields["chainlit"] = {"url": _origin(app.spec.ingress)} | fields["chainlit"]
    names = (app.ref.namespace, app.ref.name)
    spec: dict[str, Any] = {
        "selector": {"matchLabels": selector(app)},
        "template": pod_template.pod_template(fields, selector(app), names, _account(app, fields), roots),
    }
    if fields["strategy"]:
        spec["strategy"] = fields["strategy"]
    if "replicas" in fields:  # left out, another manager sets it, such as an autoscaler
        spec["replicas"] = fields["replicas"]
    return _manifest(app, "Deployment", {"spec": spec}, annotations=fields.get("deploymentAnnotations"))


def _origin(ingress: NewIngress | None) -> str:
    """The origin that browsers see, where it is certain: without a certificate, TLS may still end elsewhere."""
    if ingress is None or not ingress.tls or not ingress.host or ingress.host.startswith("*"):
        return ""
    return f"https://{ingress.host}"


def selector(app: App) -> dict[str, str]:
    """Return the labels that select the app's pods. They never change, because Kubernetes refuses it."""
    # A label may be shorter than the name. The schema allows such names only without a template, so without pods.
    instance = app.ref.name[:63].rstrip("-.")
    return {"app.kubernetes.io/name": _NAME, "app.kubernetes.io/instance": instance}


def _account(app: App, fields: Mapping[str, Any]) -> str:
    account = fields["serviceAccount"]
    return str(account.get("name") or (app.ref.name if account["create"] else "default"))


def _ingress(app: App, asked: NewIngress, service: str, port: ServicePort) -> Manifest:
    backend = {"service": {"name": service, "port": {"name": port.name} if port.name else {"number": port.port}}}
    entry = {"path": paths.normalise(asked.path) or "/", "pathType": asked.path_type, "backend": backend}
    rule: dict[str, Any] = {"http": {"paths": [entry]}}
    if asked.host:
        rule["host"] = asked.host
    spec: dict[str, Any] = {"rules": [rule]}
    if asked.class_name:
        spec["ingressClassName"] = asked.class_name
    if asked.tls:
        spec["tls"] = [*asked.tls]
    return _manifest(app, "Ingress", {"spec": spec}, annotations=asked.annotations)


def _http_route(app: App, asked: NewGateway, service: str, port: ServicePort) -> Manifest:
    match = {"path": {"type": "PathPrefix", "value": paths.normalise(asked.path) or "/"}}
    rule = {"matches": [match], "backendRefs": [{"name": service, "port": port.port}]}
    spec: dict[str, Any] = {"parentRefs": [*asked.parent_refs], "rules": [rule]}
    if asked.hostnames:
        spec["hostnames"] = [*asked.hostnames]
    return _manifest(app, "HTTPRoute", {"spec": spec}, annotations=asked.annotations)


def _manifest(
    app: App, kind: str, content: Mapping[str, Any], name: str = "", *, annotations: Mapping[str, str] | None = None
) -> Manifest:
    common: Mapping[str, str] = (app.spec.template or {}).get("commonLabels") or {}
    metadata: dict[str, Any] = {
        "name": name or app.ref.name,
        "namespace": app.ref.namespace,
        "labels": {**common, **selector(app), drift.MANAGED_BY: _OPERATOR},
        "annotations": dict(annotations or {}),
        "ownerReferences": [_owner(app)],
    }
    body = {"apiVersion": API_VERSIONS[kind], "kind": kind, "metadata": metadata, **content}
    found = drift.digest(body)
    metadata["annotations"][drift.DIGEST] = found
    return Manifest(Ref(kind, app.ref.namespace, metadata["name"]), body, found)


def _owner(app: App) -> dict[str, Any]:
    """The ownerReference, without ``blockOwnerDeletion``: some clusters require a right on the owner for it."""
    return {
        "apiVersion": API_VERSIONS[app.ref.kind],
        "kind": app.ref.kind,
        "name": app.ref.name,
        "uid": app.uid,
        "controller": True,
    }
