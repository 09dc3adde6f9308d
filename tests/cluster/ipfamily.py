"""The IP family of a cluster: what kind and the network of the pods need to be told for IPv6."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.cluster.errors import ClusterError

IPV4, IPV6, DUAL = "ipv4", "ipv6", "dual"
#: Ranges of the pods, as kind chooses them, and the route to everything else.
_PODS = {IPV4: ("10.244.0.0/16", "0.0.0.0/0"), IPV6: ("fd00:10:244::/56", "::/0")}
_DISABLED = Path("/proc/sys/net/ipv6/conf/all/disable_ipv6")


def chosen() -> str:
    """Return the IP family that the environment variable IP_FAMILY names.

    Raises ClusterError for another one, and where this host has no IPv6.
    """
    family = os.environ.get("IP_FAMILY") or IPV4
    if family not in (IPV4, IPV6, DUAL):
        raise ClusterError(f"IP_FAMILY={family}: only {IPV4}, {IPV6} and {DUAL} are known")
    if family != IPV4 and not has_ipv6(_DISABLED):
        raise ClusterError(
            f"IP_FAMILY={family}: this host has no IPv6 ({_DISABLED}); switch it on, or use another host"
        )
    return family


def has_ipv6(disabled: Path) -> bool:
    """Tell whether the kernel has IPv6 that is not switched off by the file ``disabled``."""
    return disabled.is_file() and disabled.read_text().strip() == "0"


def networking(family: str) -> str:
    """Return the lines that kind's configuration has below `networking`.

    The API server stays at 127.0.0.1: not every engine forwards a port of ::1. The node has an IPv4 address too.
    """
    return "" if family == IPV4 else f"  ipFamily: {family}\n  apiServerAddress: 127.0.0.1\n"


def pod_network(text: str, family: str) -> str:
    """Return the network configuration of a node image from source with the ranges of a family."""
    config = json.loads(text)
    found = [_PODS[one] for one in (IPV4, IPV6) if family in (one, DUAL)]
    config["plugins"][0]["ipam"] |= {
        "ranges": [[{"subnet": subnet}] for subnet, _ in found],
        "routes": [{"dst": destination} for _, destination in found],
    }
    return json.dumps(config, indent=2) + "\n"
