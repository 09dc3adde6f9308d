"""Releases of Chainlit, and Chainlit mounted in another app, each behind two routes, with what comes of it.

One table for all: the end-to-end tests run each row on a cluster, with the release's real wheel (its pins are in the
directory of its name), and ``docs/reference/compatibility.md`` is printed from it::

    python -m tests.releases > docs/reference/compatibility.md
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
    Row("1.1.404", True, Reason.PARENT_ROOT_PATH_IGNORED, writes=3),
    Row("1.3.2", False, KEPT),
    Row("1.3.2", True, Reason.PARENT_ROOT_PATH_IGNORED, writes=3),
    Row("2.2.1", False, Reason.ROOT_PATH_IN_PAGE_ONLY),
    Row("2.2.1", True, KEPT, writes=2, in_gate=True),
    Row("2.3.0", False, KEPT),
    Row("2.3.0", True, Reason.PARENT_ROOT_PATH_IGNORED, writes=3),
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

    ``fastapi`` and ``uvicorn`` are the root paths that those are told. ``answer`` is the parent root path that the
    operator writes (``""``: it writes nothing), or the reason why it does not work.
    """

    name: str
    path: str
    route: str
    strips: bool = False
    fastapi: str = ""
    uvicorn: str = ""
    answer: str | Reason = ""
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
    Mount("stripped-untold", "/chainlit", "/api", strips=True, answer="/api", in_gate=True),
    Mount("stripped-half-told", "/chainlit", "/api", strips=True, fastapi="/api",
          answer=Reason.MOUNT_PATH_NOT_SERVED, says="both in FastAPI and in uvicorn"),
]  # fmt: skip


INTRODUCTION = """\
# Releases of Chainlit

<!-- Printed by `python -m tests.releases`; do not edit. -->

What the operator makes of each release behind an Ingress at `/chat`, tried on a real cluster with the release's own
wheel: where there are variables, a chat goes through; where there is a reason, `WebSocketReachable` tells it, with what
to upgrade to ([reasons.md](reasons.md)). The operator never looks at a tag: releases are recognised by what they
answer. *Writes* are all writes to the workload until it stays as it is.

| Chainlit | route | answer | `CHAINLIT_ROOT_PATH` | `CHAINLIT_PARENT_ROOT_PATH` | writes | `<root path>/health` is |
|---|---|---|---|---|---|---|"""

REMARKS = """
Not in the table, as their neighbours behave alike: 1.2.0 to 2.0.5 like 1.3.2, 2.0.6 to 2.2.0 like 2.2.1, 2.4.0 like
2.3.0, 2.4.1 to 2.9.5 like 2.9.6, later ones like the newest. Behind a stripping route the second write tries the value
that 2.0.6 to 2.2.1 want, and the third takes it back; `status.trial` remembers that for the image. With another image
all begins anew, so an upgrade in place needs no hand.

## Probes

Probes of `/`, `/health` and `/auth/config` follow the root path: `/` and `/health` become `<root path>/health`,
`/auth/config` becomes `<root path>/auth/config`. Both answer 200 on every release at the right root path, and 404 at a
wrong one; without a root path, releases before 2.10.0 answer every path with the page, as 2.0.6 to 2.2.1 always do.

## Chainlit mounted in another app

With `mount_chainlit` the outer app decides; `CHAINLIT_ROOT_PATH` has no effect. `spec.mountPath` says where Chainlit is
mounted, and the operator verifies it there. It writes nothing, but for `CHAINLIT_PARENT_ROOT_PATH` where the
page leaves out a prefix that the route strips. Tried with FastAPI, uvicorn and Chainlit 2.12:

| `spec.mountPath` | route | `FastAPI(root_path=…)` | `uvicorn --root-path` | answer | written |
|---|---|---|---|---|---|"""


def page() -> Iterator[str]:
    """The lines of ``docs/reference/compatibility.md``."""
    yield from INTRODUCTION.splitlines()
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
        answer, written = f"works at `{mount.url}/`", "–"
        if isinstance(mount.answer, Reason):
            answer = f"**{mount.answer}**"
        elif mount.answer:
            written = f"`CHAINLIT_PARENT_ROOT_PATH={mount.answer}`"
        yield f"| `{mount.path}` | {route} | {' | '.join(told)} | {answer} | {written} |"
