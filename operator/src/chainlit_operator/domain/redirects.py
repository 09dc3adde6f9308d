"""Redirects: answers of the edge that send a browser to another address, before a request reaches the app.

A redirect from http to https keeps host and path, so it is harmless and not recorded. All others are run on Chainlit's
own requests.
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


Redirect = RedirectAll | RedirectRoot | RedirectRegex


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
