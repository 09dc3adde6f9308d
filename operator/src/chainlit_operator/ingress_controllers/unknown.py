"""Annotations that no file here reads, but that may rewrite a path.

Controllers have more such annotations than this package can list. If the operator ignored one, the verification through
the Service would succeed while users see a broken chat. So the effect of such an annotation counts as unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from chainlit_operator.domain import rewrites
from chainlit_operator.domain.model import RoutePath
from chainlit_operator.ingress_controllers.shared import snippets
from chainlit_operator.ingress_controllers.shared.controller import Rules
from chainlit_operator.ingress_controllers.shared.values import is_on

_REWRITES = re.compile(r"rewrite|strip", re.IGNORECASE)
#: Rewrites of hosts, headers and responses, log settings, and redirects from the root.
_HARMLESS = re.compile(r"host|header|response|log|app-root", re.IGNORECASE)
_SNIPPETS = ("snippet", "snippets", "config-backend")
#: The snippet for a request that NGINX itself makes.
_AUTH_SNIPPET = "auth-snippet"


def suspicion(key: str) -> Callable[[str], bool] | None:
    """Return the test whether a value of the annotation may change a path; None if no value does."""
    name = key.rpartition("/")[2]
    if name.endswith(_SNIPPETS):
        return None if name == _AUTH_SNIPPET else snippets.may_rewrite
    return is_on if _REWRITES.search(name) is not None and _HARMLESS.search(name) is None else None


class Unread(Rules):
    """An annotation that may rewrite every path of a route."""

    def __init__(self, transform: rewrites.Unknown) -> None:
        self._transforms = (transform,)

    def transforms(self, path: RoutePath) -> Iterable[rewrites.Transform]:
        """Return the one transform."""
        return self._transforms
