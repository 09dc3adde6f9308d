"""Redirects of a route that take Chainlit's requests at a place away from the app.

An app may be kept at a place below its route's path. A redirect from ``/`` to ``/chat`` is right for an app at
``/chat``, and takes the page away from an app at ``/``. So redirects are judged for the place that counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from chainlit_operator.domain import paths, redirects, rewrites
from chainlit_operator.domain.endpoint import Endpoint, paths_to, target_of
from chainlit_operator.domain.model import Route, RoutePath, Snapshot
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.resolution.answer import Resolved, Unresolved
from chainlit_operator.domain.resolution.origin import origin_of
from chainlit_operator.domain.route_paths import prefixes_of

#: The most different lists of transforms of a route that are run.
MAX_LISTS = 10
_SHOWN = 250


def fault(route: Route, own: Iterable[RoutePath], public: str) -> str:
    """Return why an app at the prefix ``public`` loses requests that come by these paths; empty if it loses none."""
    unlike: dict[tuple[str, tuple[rewrites.Transform, ...]], RoutePath] = {}
    for path in own:
        for prefix in prefixes_of(path) if path.transforms else ():
            if paths.is_below(public, prefix) or paths.is_below(prefix, public):
                unlike.setdefault((max(public, prefix, key=len), path.transforms), path)
    for (prefix, _), path in islice(unlike.items(), MAX_LISTS):
        found = first(route, path, prefix)
        if found is not None:
            return (
                f"{route.ref} redirects {found.path} to {found.location[:_SHOWN]} ({found.what}), and Chainlit needs "
                "it. Remove the redirect, or limit it to other paths."
            )
    return ""


def first(route: Route, path: RoutePath, prefix: str) -> redirects.Redirected | None:
    """Return the first of Chainlit's requests below a prefix that a path redirects; None if it redirects none."""
    return rewrites.first_redirect(prefix, path.transforms, _origin(route, path))


def _origin(route: Route, path: RoutePath) -> str:
    """The address of a request, up to its path; for any host or a wildcard, that of an example.

    The example is none with ``www``, from which redirects usually lead away.
    """
    example = path.host.replace("*", "chat") or "chat.example.com"
    return f"http{origin_of(route, path) or f'://{example}'}"


def unless_redirected(snapshot: Snapshot, found: Endpoint, answer: Resolved) -> Resolved | Unresolved:
    """Return the answer, or the fault of its route at the place that counts."""
    for route in snapshot.routes:
        if route.ref == answer.status.ref(snapshot.app.ref):
            to_app = paths_to(route, snapshot.services)
            own = [path for path, service in to_app if found.counts(target_of(service, path.port))]
            if message := fault(route, own, answer.chat_prefix):
                return Unresolved(Reason.REDIRECTED_BY_ROUTE, message)
    return answer
