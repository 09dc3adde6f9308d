"""The page of all forms of routes, ``docs/reference/routes.md``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from chainlit_operator.domain.model import MAX_INCLUDE_DEPTH
from tests.route_forms.form import SOCKETS, Form, N, Roots

INTRODUCTION = f"""\
# Routes

<!-- Printed by `python -m tests.route_forms`; do not edit. -->

The result for each form of route: the two variables, or the [reason](reasons.md) why no values work. The last column
names the ingress controllers on which the tests run the row: with variables, a real chat goes through the route; with
a reason, the status has it and the operator writes nothing. *{N.shown}* is Traefik's provider that reads the
annotations of ingress-nginx. The other rows follow the documentation of the controller in the column."""

HEAD = """\
| form | browser's path | `CHAINLIT_ROOT_PATH` | `CHAINLIT_PARENT_ROOT_PATH` | tested on |
|---|---|---|---|---|"""

REMARKS = f"""
## Remarks

`spec.route.rewrite` overrides what the operator reads: `Strip` for a route that removes the whole path, `None` for
one that leaves the path unchanged, whatever its annotations say.

Any other annotation with `rewrite` or `strip` in its name, and a piece of a controller's configuration that changes
paths, gives **RewriteUnknown**. If the operator ignored it, the app could look well at its Service while the chat is
dead.

Contour answers WebSocket upgrades with 403 unless `{SOCKETS}` lists the path of the Ingress, with the same spelling.
All Contour rows set this annotation, except the `WebSocketNotEnabled` rows. There the page loads and the chat does
not connect. Contour serves Ingresses by the name of their class, `contour` by default; under another name the
operator recognises it by `{SOCKETS}`. Contour has no annotation that rewrites the path of an Ingress.

OpenShift itself is not in the test cluster. `make openshift` tries the paths, rewrites, hosts and cookies of Routes on
a real HAProxy, with the configuration that the router of OpenShift writes. Where OpenShift makes a Route from an
Ingress, the operator reads only the Ingress.

The host and the beginning of the path of an HTTPProxy without `virtualhost` come from the HTTPProxies that include it.
Contour compares a prefix by characters, and tries exact paths before expressions, and these before prefixes. If an
Ingress has the place of an HTTPProxy at one Contour, the one that wins depends on the type of the Ingress's path, so
the operator only warns. At most {MAX_INCLUDE_DEPTH} HTTPProxies may be above another one.

## Several routes of one app

The operator reads all routes that lead to the app, unless `spec.route.ref` names one. The route with the shortest path
gives the place. Another route joins it if the next segment of its path is one of Chainlit's own, such as `ws`,
`public` or `slack`, and if both routes rewrite the path alike. Two routes with different places give
**RouteAmbiguous**, and so do two Ingresses with rewrites for different controllers whose class does not tell which
controller serves them. A route with a fault, or one that its controller refuses, is left out, and RouteResolved names
it. Only if such a route may get requests that the app needs does its fault become the app's.

Only paths that lead to Chainlit's port count. That is the port in `spec.workload.ref.port`, in the command (`--port`)
or in `CHAINLIT_PORT`, else the port that the routes lead to. If they lead to several ports of the container, the name
of a port decides (`chainlit`, `http`, `web`, `ui`), and then the pods. A path to another container of the pod counts
only if that container passes requests on to Chainlit: no path leads to Chainlit itself, or only one below its own.

HTTPRoutes of other namespaces count with a
[ReferenceGrant](../how-to/several-teams.md#httproutes-in-the-namespace-of-the-gateway). What the cluster does not show
is [stated](../how-to/stated-url.md) in `spec.route.url`."""


def lines(tables: Mapping[str, tuple[Form, ...]]) -> Iterator[str]:
    """Yield the lines of the page; ``tables`` are the forms by kind."""
    yield from INTRODUCTION.splitlines()
    for kind, forms in tables.items():
        yield from ("", f"## {kind}", "", *HEAD.splitlines())
        yield from map(_row, forms)
    yield from REMARKS.splitlines()


def _row(form: Form) -> str:
    mark = ", ".join(edge.shown for edge in form.edges) or f"documentation of {form.documented}"
    if isinstance(form.answer, Roots):
        found = form.answer
        cells = [f"`{found.path}`", *(f"`{v}`" if v else "–" for v in (found.root_path, found.parent_root_path))]
    else:
        cells = [f"**{form.answer}**", "", ""]
    return f"| {form.shown} | {' | '.join(cells)} | {mark} |"
