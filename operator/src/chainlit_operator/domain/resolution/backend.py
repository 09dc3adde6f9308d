"""The Service and the port to which a created route sends requests."""

from __future__ import annotations

from chainlit_operator.domain.model import App, Service, ServicePort

#: The name of the port to use if a Service has several. The Services of templates and of the app chart have this name.
PORT_NAME = "http"


def route_backend(app: App, services: tuple[Service, ...]) -> tuple[str, ServicePort] | None:
    """Return name and port of the Service for the route that ``app`` creates; None where not exactly one is right.

    The right one is the created Service or, for an adopted workload, the only one of ``services``, which select its
    pods. A headless Service counts only if there is no other.
    """
    found = backend_services(app, services)
    ports = found[0].ports if len(found) == 1 else ()
    named = tuple(port for port in ports if port.name == PORT_NAME)
    chosen = named if len(named) == 1 else ports
    return (found[0].ref.name, chosen[0]) if len(chosen) == 1 else None


def backend_services(app: App, services: tuple[Service, ...]) -> list[Service]:
    """Return the Services that the route may lead to."""
    if app.spec.template is not None:
        return [service for service in services if service.ref.name == app.ref.name]
    return [service for service in services if service.cluster_ip != "None"] or [*services]
