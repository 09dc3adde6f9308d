"""Hosts of paths: a name, ``*.`` and a name, an expression, or an empty text for any host."""

from __future__ import annotations

from chainlit_operator.domain import expressions
from chainlit_operator.domain.expressions import ANYWHERE

_START, _END = "HostRegexp(`", "`)"


def of_expression(text: str) -> str:
    """Return the host of a path whose hosts are those that an expression matches, as Traefik's rules write it."""
    return f"{_START}{text}{_END}"


def is_expression(host: str) -> bool:
    """Whether it is such a host."""
    return host.startswith(_START)


def is_name(host: str) -> bool:
    """Whether a host is one name, with which a URL can be made."""
    return bool(host) and "*" not in host and not is_expression(host)


def share_host(one: str, other: str) -> bool:
    """Whether one request may be for both hosts. Of a wildcard and an expression that is not known: it may be."""
    if one == other or not one or not other:
        return True
    if is_expression(one) or is_expression(other):
        return _may_match(one, other) and _may_match(other, one)
    return _is_below(one, other) or _is_below(other, one)


def _may_match(host: str, other: str) -> bool:
    if not is_expression(host) or not is_name(other):
        return True
    return expressions.may_match(host.removeprefix(_START).removesuffix(_END), ANYWHERE, other)


def _is_below(host: str, wildcard: str) -> bool:
    return wildcard.startswith("*.") and host.endswith(wildcard[1:])
