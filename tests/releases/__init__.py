"""Releases of Chainlit, and Chainlit mounted in another app, each behind two routes, with what comes of it.

One table for all: the end-to-end tests run each row on a cluster, with the release's real wheel (its pins are in the
directory of its name), and ``docs/reference/compatibility.md`` is printed from it::

    python -m tests.releases > docs/reference/compatibility.md

So is its first table, which says what is proved and what is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from chainlit_operator.domain.reasons import Reason

CURRENT = "2.12.0"


@dataclass(frozen=True)
class Answer:
    """A chat that works, with these two variables."""

    root_path: str
    parent_root_path: str = ""


KEPT, STRIPPED = Answer("/chat"), Answer("", "/chat")


@dataclass(frozen=True)
class Row:
    """A release of Chainlit behind a route at ``/chat``, whose prefix the route strips or leaves.

    ``answer`` may be the reason why no chat works; ``writes`` counts those to the workload until it stays as it is.
    ``in_gate`` rows run in each ``make test``.
    """

    release: str
    strips: bool
    answer: Answer | Reason
    writes: int = 1
    in_gate: bool = False

    def __str__(self) -> str:
        return f"{self.release}-{'stripped' if self.strips else 'kept'}"


ROWS = [
    Row("1.1.404", False, Reason.SOCKET_AT_DOUBLED_SLASH, in_gate=True),
    Row("1.1.404", True, Reason.PARENT_ROOT_PATH_IGNORED),
    Row("1.3.2", False, KEPT),
    Row("1.3.2", True, Reason.PARENT_ROOT_PATH_IGNORED),
    Row("2.2.1", False, Reason.ROOT_PATH_IN_PAGE_ONLY),
    Row("2.2.1", True, Reason.PARENT_ROOT_PATH_IGNORED, in_gate=True),
    Row("2.3.0", False, KEPT),
    Row("2.3.0", True, Reason.PARENT_ROOT_PATH_IGNORED),
    Row("2.9.6", False, KEPT),
    Row("2.9.6", True, STRIPPED),
    Row(CURRENT, False, KEPT),
    Row(CURRENT, True, STRIPPED),
]

#: What `<root path>/health` is, by release: the endpoint came with 2.10.0.
HEALTH = dict.fromkeys((row.release for row in ROWS), "page") | {CURRENT: '`{"status":"ok"}`'}


@dataclass(frozen=True)
class Mount:
    """A Chainlit mounted in a FastAPI app at ``path``, behind a route at ``route``.

    ``fastapi`` and ``uvicorn`` are the root paths of those. ``answer`` is the reason why the chat does not work, None
    if it works; ``says`` is a part of the message. The operator writes nothing.
    """

    name: str
    path: str
    route: str
    strips: bool = False
    fastapi: str = ""
    uvicorn: str = ""
    answer: Reason | None = None
    says: str = ""
    in_gate: bool = False

    @property
    def url(self) -> str:
        """Where a browser finds it, without the slash at the end."""
        inner = self.path.removeprefix(self.route) if self.path.startswith(f"{self.route}/") else self.path
        return self.path if self.path == self.route else self.route.rstrip("/") + inner

    def __str__(self) -> str:
        return self.name


MOUNTS = [
    Mount("at-the-root", "/chainlit", "/"),
    Mount("whole-route", "/chainlit", "/chainlit"),
    Mount("kept-and-told", "/chainlit", "/api", fastapi="/api"),
    Mount("kept-in-the-path", "/api/chainlit", "/api"),
    Mount("kept-untold", "/chainlit", "/api", answer=Reason.MOUNT_PATH_NOT_SERVED, says="FastAPI(root_path='/api')"),
    Mount("stripped-and-told", "/chainlit", "/api", strips=True, fastapi="/api", uvicorn="/api"),
    Mount("stripped-untold", "/chainlit", "/api", strips=True, in_gate=True,
          answer=Reason.MOUNT_PATH_NOT_SERVED, says="both in FastAPI and in uvicorn"),
    Mount("stripped-half-told", "/chainlit", "/api", strips=True, fastapi="/api",
          answer=Reason.MOUNT_PATH_NOT_SERVED, says="both in FastAPI and in uvicorn"),
]  # fmt: skip


#: What runs where: subject, what is supported, what tests prove, and what is from documentation.
WHERE = [
    (
        "Kubernetes",
        "1.30 or later",
        "a cluster of 1.35 (`make e2e`), the API server of 1.30 (`make bench-smoke`), the charts' fields "
        "on 1.34 to 1.37 (`make charts`)",
        "other releases",
    ),
    (
        "addresses of the cluster",
        "IPv4, IPv6, or both",
        "IPv4 (`make e2e`); IPv6 alone, and both with IPv4 first (`make ipv6`)",
        "both with IPv6 first",
    ),
    (
        "Helm",
        "3.14 or later, 4",
        "4.3 (`make e2e`), 3.22 (`make e2e-all`)",
        "other releases",
    ),
    (
        "kubectl with `install.yaml`, kustomize",
        "–",
        "every command of these pages, on the API server of 1.35 (`make docs`)",
        "kustomize with `helmCharts`",
    ),
    (
        "[Flux](../how-to/gitops.md#flux)",
        "–",
        "the helm-controller 1.4 (`make docs-all`); its objects, and that its writes and those of the operator "
        "leave no difference (`make docs`)",
        "the source-controller, the kustomize-controller",
    ),
    (
        "[Argo CD](../how-to/gitops.md#argo-cd)",
        "–",
        "its objects, the health check, and that its writes and those of the operator leave no "
        "difference (`make docs`)",
        "Argo CD itself",
    ),
    (
        "Chainlit",
        "2.3 or later; 2.4.1 or later behind a route that strips the path",
        "[the releases below](#releases-of-chainlit) (`make e2e-all`; some in `make e2e`)",
        "other releases",
    ),
    (
        "Python, outside the image",
        "3.11 or later",
        "3.11",
        "later ones",
    ),
    (
        "ingress controllers that the operator reads",
        "any whose [routes](routes.md) it can read",
        "Traefik, also with the annotations of ingress-nginx, and Contour (`make e2e`)",
        "all others: the operator reads their [objects](set-ups.md) (`make field`), and a model of their "
        "rules judges what it decides (`make served`)",
    ),
    (
        "[presets](controllers.md) of the app chart",
        "the controllers of that table",
        "Traefik, Contour (`make e2e`); each preset is rendered (`make charts`)",
        "the others",
    ),
    (
        "database, files",
        "PostgreSQL; S3, Google, Azure",
        "Debian's PostgreSQL, an S3 server (`make e2e-all`)",
        "CloudNativePG, other servers of S3, Google, Azure",
    ),
    (
        "a login in front (`authProxy`)",
        "what oauth2-proxy supports",
        "oauth2-proxy with a real provider, dex (`make e2e-all`)",
        "other providers",
    ),
    (
        "images of the app",
        "any with Chainlit and Python",
        "images made without a thought of Kubernetes: root or another user, any working directory, exec or shell form, "
        "files of its own, an old release (`make e2e-all`)",
        "–",
    ),
    (
        "OpenShift, service meshes",
        "–",
        "what the charts render for OpenShift (`make charts`)",
        "a cluster of either",
    ),
]

INTRODUCTION = """\
# Compatibility

<!-- Printed by `python -m tests.releases`; do not edit. -->

## What runs where

"Proved" names the targets of `make` whose tests run it. No test runs an entry under "from documentation".

| | supported | proved | from documentation |
|---|---|---|---|"""

RELEASES = """
## Releases of Chainlit

What the operator makes of each release behind an Ingress at `/chat`. The tests run each row on a real cluster with
the wheel of the release: rows with "works" chat, the others have a [reason](reasons.md) in `WebSocketReachable`, with
the release to upgrade to. The operator detects the behaviour from HTTP responses, never from a tag. *Writes* counts
all writes to the workload until it is stable.

| Chainlit | route | answer | `CHAINLIT_ROOT_PATH` | `CHAINLIT_PARENT_ROOT_PATH` | writes | `<root path>/health` is |
|---|---|---|---|---|---|---|"""

REMARKS = """
Other releases behave like a neighbour in the table: 1.2.0 to 2.0.5 like 1.3.2, 2.0.6 to 2.2.0 like 2.2.1, 2.4.0 like
2.3.0, 2.4.1 to 2.9.5 like 2.9.6, later ones like the newest.

## Probes

Probes of `/` and `/health` become `<root path>/health`, those of `/auth/config` become `<root path>/auth/config`
([how it works](../explanation/how-it-works.md#probes)). Both answer 200 on every release at the right root path, and
404 at a wrong one. Without a root path, releases before 2.10.0 answer every path with the page, as 2.0.6 to 2.2.1
always do.

## Chainlit mounted in another app

With `mount_chainlit` the outer app sets the root path, and `CHAINLIT_ROOT_PATH` has no effect. `spec.mountPath` says
where Chainlit is mounted, and the operator writes nothing ([mounted app](../how-to/mounted-app.md)). The tests run
these combinations with FastAPI, uvicorn and Chainlit 2.12:

| `spec.mountPath` | route | `FastAPI(root_path=…)` | `uvicorn --root-path` | answer |
|---|---|---|---|---|"""


def page() -> Iterator[str]:
    """The lines of ``docs/reference/compatibility.md``."""
    yield from INTRODUCTION.splitlines()
    yield from (f"| {' | '.join(cells)} |" for cells in WHERE)
    yield from RELEASES.splitlines()
    for row in ROWS:
        cells = [f"**{row.answer}**", "", "", str(row.writes)]
        if isinstance(row.answer, Answer):
            found = row.answer
            values = [f"`{value}`" if value else "–" for value in (found.root_path, found.parent_root_path)]
            cells = ["works", *values, str(row.writes)]
        route = "strips `/chat`" if row.strips else "leaves the path"
        yield f"| {row.release} | {route} | {' | '.join(cells)} | {HEALTH[row.release]} |"
    yield from REMARKS.splitlines()
    for mount in MOUNTS:
        route = f"`{mount.route}`{', stripped' if mount.strips else ''}"
        told = [f"`{value}`" if value else "–" for value in (mount.fastapi, mount.uvicorn)]
        answer = f"works at `{mount.url}/`" if mount.answer is None else f"**{mount.answer}**"
        yield f"| `{mount.path}` | {route} | {' | '.join(told)} | {answer} |"
