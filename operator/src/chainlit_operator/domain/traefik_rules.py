"""Rules of Traefik's routers.

Traefik tries its routers in the order of their priorities. A router without one has the length of its rule as its
priority (``pkg/muxer/http/mux.go`` of Traefik 3.7).
"""

from __future__ import annotations


def usual_priority(host: str, prefix: str) -> int:
    """Return the priority of a router that Traefik makes of a path of an Ingress, of which no priority is known."""
    rule = f'PathPrefix("{prefix or "/"}")'
    return len(f'Host("{host}") && {rule}' if host else rule)


def possible_priorities(host: str, path: str) -> tuple[int, int]:
    """Return the least and the greatest priority of such a router.

    It is greater where Traefik runs with ``strictPrefixMatching``, so that its rule has the path twice
    (``pkg/provider/kubernetes/ingress/kubernetes.go``).
    """
    least = usual_priority(host, path)
    bare = path.removesuffix("/")
    strict = f'(Path("{bare}") || PathPrefix("{bare}/"))'
    return least, least + max(0, len(strict) - len(f'PathPrefix("{path}")')) if bare else least
