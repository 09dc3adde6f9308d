"""Redirects: answers of the edge that send a browser to another address, before a request reaches the app.

A redirect from http to https keeps host and path, so it takes nothing away. A route for http alone that has one only
sends browsers to the route for https. All other redirects are run on Chainlit's own requests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

from chainlit_operator.domain.expressions import Expression, NotEvaluated, Syntax, read
from chainlit_operator.domain.replacements import replace_all


@dataclass(frozen=True, slots=True)
class RedirectAll:
    """Redirects every request to ``location``; ``what`` names the setting."""

    what: str
    location: str

    def leads_to(self, origin: str, path: str) -> str:
        """Return the new address of a request."""
        return self.location


@dataclass(frozen=True, slots=True)
class RedirectRoot:
    """Redirects only requests for ``/``, to the path ``target``; ``what`` names the setting."""

    what: str
    target: str

    def leads_to(self, origin: str, path: str) -> str:
        """Return the new address of a request; empty where it is not redirected."""
        return origin + self.target if path == "/" and self.target != "/" else ""


@dataclass(frozen=True, slots=True)
class RedirectRegex:
    """Traefik's RedirectRegex: replaces the matches in the whole address; ``what`` names the Middleware."""

    what: str
    pattern: str
    replacement: str

    @property
    def expression(self) -> Expression | NotEvaluated:
        """The expression."""
        return read(self.pattern, Syntax.GO)

    def leads_to(self, origin: str, path: str) -> str:
        """Return the new address of a request; empty where it is not redirected to another host or path."""
        expression = self.expression
        if isinstance(expression, NotEvaluated):
            return ""
        address = replace_all(origin + path, expression, self.replacement)
        if address is None:
            return "another address"
        return "" if _host_and_path(address) == _host_and_path(origin + path) else address


@dataclass(frozen=True, slots=True)
class RedirectScheme:
    """Traefik's RedirectScheme to https: host and path stay. ``what`` names the Middleware."""

    what: str

    def leads_to(self, origin: str, path: str) -> str:
        """Return an empty text: no request gets another host or path."""
        return ""


Redirect = RedirectAll | RedirectRoot | RedirectRegex | RedirectScheme


def is_to_https(redirect: Redirect) -> bool:
    """Return whether a redirect sends each request by http to https, with the same host and path."""
    if isinstance(redirect, RedirectScheme):
        return True
    if not isinstance(redirect, RedirectRegex) or isinstance(redirect.expression, NotEvaluated):
        return False
    rest = "://chat.example.com/chat/"
    return replace_all(f"http{rest}", redirect.expression, redirect.replacement) == f"https{rest}"


class Redirected(NamedTuple):
    """A request that is redirected: its path, the new address, and the setting that does it."""

    path: str
    location: str
    what: str


def _host_and_path(address: str) -> tuple[str | None, str]:
    try:
        parts = urlsplit(address)
    except ValueError:
        return None, address
    return parts.hostname, parts.path
