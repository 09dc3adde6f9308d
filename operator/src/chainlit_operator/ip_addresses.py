"""IP addresses as URLs have them."""

from __future__ import annotations


def is_ipv6(host: str) -> bool:
    """Whether a host, which is a name or an address, is an address of IPv6."""
    return ":" in host


def in_url(host: str) -> str:
    """Return a host, which is a name or an address, as a URL has it: an address of IPv6 stands in brackets."""
    return f"[{host}]" if is_ipv6(host) else host
