"""The check of an app: the addresses at which it is verified."""

from __future__ import annotations

from chainlit_operator import ip_addresses
from chainlit_operator.domain import endpoint
from chainlit_operator.domain.model import Check, Container, Service, Snapshot, VerificationMode, Workload
from chainlit_operator.domain.place import Source
from chainlit_operator.domain.resolution import Resolved


def check_of(
    snapshot: Snapshot, route: Resolved, container: Container, workload: Workload, *, is_spread: bool = False
) -> Check | None:
    """Return the check of an aligned app whose rollout is complete; None if it has no address.

    ``is_spread`` says that nothing keeps a browser at one of several pods.
    """
    mode = snapshot.app.spec.verification
    base_url = _service_url(route.service, route.service_port, container)
    edge_url = "" if mode is VerificationMode.BACKEND else _edge_url(route)
    if not (edge_url if mode is VerificationMode.EDGE else base_url):
        return None
    port = route.service.port_of(route.service_port)
    pod_port = endpoint.port_past_proxy(snapshot, container, route.service, route.service_port)
    return Check(
        base_url=base_url or "",
        root_path=route.app_prefix,
        page_prefix=route.root_paths.parent_root_path,
        target=str(port.target) if port is not None else "",
        uid=workload.uid,
        generation=workload.generation,
        edge_url=edge_url,
        pods=workload.rollout.available if edge_url else 0,
        is_spread=is_spread and bool(edge_url),
        is_auto=mode is VerificationMode.AUTO,
        is_stated=bool(edge_url) and route.place.source is Source.STATED,
        service=None if pod_port is None else route.service.ref,
        pod_port=pod_port or 0,
    )


def _edge_url(route: Resolved) -> str:
    """Scheme, host and port that a browser opens; empty where the route has no URL."""
    return (route.url or "").removesuffix(f"{route.root_paths.parent_root_path}{route.app_prefix}/")


def _service_url(service: Service, service_port: int | str, container: Container) -> str | None:
    """Scheme, host and port of the Service: its cluster IP, or for a headless one its name and the pods' own port."""
    port = service.port_of(service_port)
    if service.type == "ExternalName" or port is None:
        return None
    if service.cluster_ip and service.cluster_ip != "None":
        host = ip_addresses.in_url(service.cluster_ip)
        return f"http://{host}:{port.port}"
    number = container.port_number(port.port if port.target is None else port.target)
    return None if number is None else f"http://{service.ref.name}.{service.ref.namespace}.svc:{number}"
