"""The origin under which a browser reaches a route: scheme, host and port."""

from __future__ import annotations

from chainlit_operator.domain.model import Origin, Route, RoutePath


def origin_of(route: Route, path: RoutePath) -> str:
    """Return the part of the URL between ``http`` or ``ws`` and the path, for example ``s://example.com:8443``.

    It is empty if the path has no host or a wildcard, and the route has no address of its own. A secure origin wins
    over others.
    """
    found = [
        origin
        for origin in route.origins
        if (host_matches(origin.hosts, path.host) if path.host else bool(origin.address))
    ]
    if not found:
        return ""
    origin = min(found, key=lambda each: not each.is_secure)
    return _authority(path.host or origin.address, origin)


def host_matches(pattern: str, host: str) -> bool:
    """Whether ``pattern`` matches ``host``: a host name, ``*.`` and a host name, or empty for any host."""
    return pattern in ("", host) or (pattern.startswith("*.") and host.partition(".")[2] == pattern[2:])


def _authority(host: str, origin: Origin) -> str:
    if "*" in host:
        return ""
    is_usual = origin.port in (0, 443 if origin.is_secure else 80)
    return f"{'s' if origin.is_secure else ''}://{host}{'' if is_usual else f':{origin.port}'}"
