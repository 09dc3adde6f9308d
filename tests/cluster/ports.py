"""Choosing a port of the loopback address for a cluster's edge."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Callable, Collection

from tests.cluster import console
from tests.cluster.errors import ClusterError

TRIED = 200


def choose(taken: Collection[int], is_free: Callable[[int], bool], first: int) -> int:
    """Return the first port that is neither promised to another cluster nor in use. Raises ClusterError."""
    for port in range(first, first + TRIED):
        if port not in taken and is_free(port):
            return port
    raise ClusterError(f"no free port on 127.0.0.1 between {first} and {first + TRIED - 1}")


def is_free(port: int) -> bool:
    """Tell whether a port of the loopback address could be listened on, and would be heard there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return port not in forwarded(_rules())


def forwarded(rules: str) -> set[int]:
    """Return the ports that rules in the format of iptables-save send elsewhere.

    A container engine that was killed can leave such rules behind: nothing listens, and yet whoever
    takes the port hears nothing.
    """
    return {int(port) for port in re.findall(r"--dport (\d+) .*-j DNAT", rules)}


def _rules() -> str:
    if shutil.which("iptables-save") is None:
        return ""
    try:
        return console.run(["iptables-save", "-t", "nat"], timeout=10)
    except ClusterError:  # not ours to read without root, and then not ours to have written either
        return ""
