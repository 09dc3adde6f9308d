"""The origin under which a browser reaches a route: scheme, host and port."""

from __future__ import annotations

from collections.abc import Collection

from chainlit_operator.domain.hosts import is_name
from chainlit_operator.domain.model import Origin, Route, RoutePath

#: For each kind of Gateways the fields of a route that name them, and its hosts.
_FIELDS = {"Gateway": ("parentRefs", "hostnames"), "IstioGateway": ("gateways", "hosts")}


def origin_of(route: Route, path: RoutePath) -> str:
    """Return the part of the URL between ``http`` or ``ws`` and the path, for example ``s://example.com:8443``.

    The host is that of the path, or that of the origin if it is one of the names that the path's wildcard stands for.
    The result is empty if neither has a name, and the route has no address of its own. A secure origin wins.
    """
    found = ((origin, _host(origin, path.host)) for origin in route.origins)
    known = [(origin, host) for origin, host in found if is_name(host)]
    if not known:
        return ""
    origin, host = min(known, key=lambda pair: not pair[0].is_secure)
    is_usual = origin.port in (0, 443 if origin.is_secure else 80)
    return f"{'s' if origin.is_secure else ''}://{host}{'' if is_usual else f':{origin.port}'}"


def _host(origin: Origin, host: str) -> str:
    """The host that a path and an origin have in common, the narrower one; empty if there is none."""
    if not host:
        return origin.address
    if _covers(origin.hosts, host, is_deep=origin.is_deep):
        return host
    return origin.hosts if _covers(host, origin.hosts, is_deep=origin.is_deep) else ""


def _covers(pattern: str, host: str, *, is_deep: bool) -> bool:
    """Whether a host name, ``*.`` and a host name, or an empty text for any host matches ``host``, also a wildcard."""
    if pattern in ("", host):
        return True
    below = pattern.startswith("*.") and host.endswith(pattern[1:])
    return below and (is_deep or host.partition(".")[2] == pattern[2:])


def why_no_origin(route: Route, host: str, watched: Collection[str]) -> tuple[str, str]:
    """Return why no URL of a route is known, as the rest of a sentence about it, and what to change.

    ``host`` is that of the app's path, ``watched`` are the namespaces that the operator watches, empty for all.
    """
    found = [dependency for dependency in route.dependencies if dependency.kind in _FIELDS]
    gateways = [dependency.key for dependency in found]
    of_gateways, of_hosts = _FIELDS[found[0].kind] if found else ("", "")
    namespaces = [key.partition("/")[0] for key in gateways]
    unwatched = next((each for each in namespaces if watched and each not in watched), "")
    if unwatched and not route.origins:
        why = f"has a Gateway in namespace {unwatched}, which the operator does not watch"
        return why, f"Add {unwatched} to watchNamespaces of the operator's chart, state the URL in spec.route.url"
    if gateways and not route.origins:
        return f"has no Gateway with a listener for HTTP or HTTPS ({', '.join(gateways)})", f"Correct its {of_gateways}"
    if is_name(host):
        return f"has host {host}, for which no Gateway has a listener", f"Correct its {of_hosts or 'hostnames'}"
    if host:
        return f"has only the wildcard host {host}", "Add a host to it"
    return "has no host, and its status no address", "Add a host to it"
