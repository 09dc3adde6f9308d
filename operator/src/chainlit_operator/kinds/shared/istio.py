"""Hosts of Istio's objects: which of them are Services of the cluster.

The facts are those of ``ResolveShortnameToFQDN`` in ``pilot/pkg/model/config.go`` of Istio: only a name without a dot
gets the namespace of the object. So ``chat.shop`` is the whole name of another host, not a Service.
"""

from __future__ import annotations

#: What follows name and namespace in the name of a Service; the domain of the cluster comes after it.
_SERVICE = "svc"
_LABELS = 3


def service_of(host: str, namespace: str) -> str:
    """Return ``namespace/name`` of the Service that a host means in an object of a namespace; empty for other hosts.

    The domain of the cluster may have any name.
    """
    if "." not in host:
        return f"{namespace}/{host}" if host not in ("", "*") else ""
    labels = host.lower().rstrip(".").split(".")
    is_service = len(labels) > _LABELS and labels[2] == _SERVICE and "*" not in host
    return f"{labels[1]}/{labels[0]}" if is_service else ""
