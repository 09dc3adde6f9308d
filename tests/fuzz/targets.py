"""What the operator does with anything that others write: objects of the cluster, texts in them, answers of apps.

Each target takes one input and fails where an exception escapes that its caller does not expect, or where a step of it
costs too much. Steps are what the event loop does in one go: while one lasts, nothing else is served.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import msgspec
from tests.fuzz import world

from chainlit_operator.domain import (
    conditions,
    expressions,
    paths,
    probes,
    redirects,
    replacements,
    rewrites,
    workload_patch,
)
from chainlit_operator.domain.alignment import Apply
from chainlit_operator.domain.decide import Decision, decide
from chainlit_operator.domain.desired import manifests, ownership, pod_template
from chainlit_operator.domain.model import App, Matching, Precedence, RoutePath, Snapshot, Verification
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.resolution import path_overrides
from chainlit_operator.kinds import chainlitapp, endpointslice, registry
from chainlit_operator.kube import codec, leases
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import State, decoding
from chainlit_operator.verification.examination import chainlit_prefix
from chainlit_operator.verification.prober import parse
from chainlit_operator.verification.prober.fetch import Reply

#: What one step may cost, in seconds of CPU.
LIMIT = 0.05
#: How many times the limit fails a test. A cost that explodes is far above it. How much a step costs that stays within
#: the limit depends on the caches of the machine, on which the yardstick says little.
EXPLODED = 5
#: How often an input that seems to cost too much is tried: the machine disturbs a measurement now and then, and what
#: an input itself costs comes back each time.
TRIES = 4
#: What :func:`_yardstick` costs on the machine that the limit is for, while that does nothing else, in seconds of CPU.
#: Two processes that share a core's caches cost each other up to that much again.
YARDSTICK, MOST_PACE = 0.010, 10.0

NOW = "2026-02-03T04:05:06Z"


class Clock:
    """Counts the CPU time of each step."""

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure one step; of several by one name the longest counts."""
        began = time.process_time()
        try:
            yield
        finally:
            self.spent[name] = max(self.spent[name], time.process_time() - began)  # type: ignore[assignment]


def affordable(target: Callable[[Clock], None], told: str) -> None:
    """Run a target, and fail where the cost of a step explodes each time that it is tried."""
    least: dict[str, float] = {}
    most = EXPLODED * LIMIT
    for _ in range(TRIES):
        clock = Clock()
        gc.disable()  # a collection looks at all that the tests hold, too
        try:
            target(clock)
        finally:
            gc.enable()
        pace = _pace() if max(clock.spent.values(), default=0.0) > most else 1.0
        least = {name: min(seconds / pace, least.get(name, seconds)) for name, seconds in clock.spent.items()}
        if all(seconds <= most for seconds in least.values()):
            return
    slow = {name: f"{seconds * 1000:.0f} ms" for name, seconds in least.items() if seconds > most}
    raise AssertionError(f"costs too much: {slow}: {told[:2000]}")


def _pace() -> float:
    """Return how many times as much as usual everything costs just now, at least 1."""
    return min(MOST_PACE, max(1.0, min(_yardstick() for _ in range(3)) / YARDSTICK))


def _yardstick() -> float:
    """Return the seconds of CPU of a piece of work that is much like the operator's own."""
    began = time.process_time()
    filed = {("shop", (f"label-{n}", "x")): n for n in range(20_000)}
    assert len(sorted(filed)) == len(filed)
    return time.process_time() - began


# ------------------------------------------------------------------------------------------------------- objects

READERS = {name: decoding.decoder(kind) for name, kind in registry.WATCHED.items()}
_OTHERS = [
    READERS[found["kind"]](json.dumps(found).encode())
    for found in (
        world.CORPUS[0],
        world.SERVICE,
        world.SERVICE | {"metadata": {**world.SERVICE["metadata"], "name": "other"}},
        world.ingress(),
        world.GATEWAY,
        world.MIDDLEWARE,
        world.ISTIO_GATEWAY,
        world.DESTINATION_RULE,
    )
]
_APPS = [chainlitapp.app_from_object(found) for found in world.APPS.values()]


def take(kind: str, raw: bytes, number: int, clock: Clock) -> str:
    """Do with an object all that follows from its appearance beside an app; says what became of it."""
    if kind == "Lease":
        return _lease(raw, clock)
    if kind == "ChainlitApp":
        return _app(raw, clock)
    with clock.step("read"):
        try:
            found = READERS[kind](raw)
        except (msgspec.MsgspecError, ValueError):  # which the reflector expects
            return "refused"
    cache = _cache(_APPS[number])
    with clock.step("file"):
        cache.upsert(found)
    _decide(cache, clock)
    with clock.step("file again"):
        cache.upsert(found)
        cache.remove(found)
    return "taken"


def _app(raw: bytes, clock: Clock) -> str:
    body = json.loads(raw)  # kopf's part
    with clock.step("read"):
        try:
            app = chainlitapp.app_from_object(body)
        except ValueError:  # which the handler expects
            return "refused"
    cache = _cache(_APPS[0])
    with clock.step("file"):
        cache.put_app(app)
    _decide(cache, clock)
    with clock.step("file again"):
        cache.remove_app(app.ref)
    return "taken"


def _lease(raw: bytes, clock: Clock) -> str:
    with clock.step("read"):
        try:
            lease = leases.decode(raw)
        except msgspec.DecodeError:  # which the elector expects
            return "refused"
        leases.encode(Ref("Lease", "a", "b"), lease, NOW)
    return "taken"


def _cache(app: App) -> State:
    told: list[Ref] = []
    cache = State(told.append)
    for found in _OTHERS:
        cache.upsert(found)
    cache.put_app(app)
    cache.complete()
    return cache


def _decide(cache: State, clock: Clock) -> None:
    for app in [*cache.apps.values()]:
        with clock.step("gather"):
            snapshot = cache.snapshot(app)
        with clock.step("decide"):
            decision = decide(snapshot)
        with clock.step("report"):
            _report(snapshot, decision)
        with clock.step("create"):
            _create(app, decision)
        with clock.step("patch"):
            _patch(snapshot, decision)


def _patch(snapshot: Snapshot, decision: Decision) -> None:
    """Make the write of an adopted workload, whose places must be those of its fields."""
    found, own, action = snapshot.workload, decision.container, decision.action
    if found is None or own is None or not isinstance(action, Apply):
        return
    assert workload_patch.apply_configuration(found, own, action)["metadata"]["name"] == found.written.name
    if found.is_patched:
        test, *rest = workload_patch.json_patch(found, own, action)
        assert test["value"] == found.resource_version
        assert len(rest) <= len(action.env) + len(action.probes)


def _report(snapshot: Snapshot, decision: Decision) -> None:
    outcome = conditions.Outcome(snapshot.workload)
    check = conditions.report(snapshot, decision, outcome).check
    found = Verification(check, False, Reason.PARENT_ROOT_PATH_IGNORED, "…") if check is not None else None
    status = conditions.report(replace(snapshot, verification=found, now=NOW), decision, outcome).status
    json.dumps(chainlitapp.encode_status(snapshot.app, status)).encode()


def _create(app: App, decision: Decision) -> None:
    for step in decision.steps:
        if isinstance(step, ownership.Create | ownership.Update | ownership.Repair):
            json.dumps(step.manifest.body).encode()
    if app.spec.template is not None:
        json.dumps(manifests.deployment(app, paths.RootPaths("/chat", "")).body).encode()


# --------------------------------------------------------------------------------------------------------- texts


def take_text(text: str, clock: Clock) -> None:
    """Put a text wherever the pure core reads one."""
    for name, function in TEXTS.items():
        with clock.step(name):
            function(text)


def _route_path(text: str, matching: Matching, **fields: Any) -> RoutePath:
    return RoutePath("", text, "ImplementationSpecific", "chat", 80, matching=matching, **fields)


def _paths(text: str) -> None:
    prefix = paths.normalise(text)
    paths.problem(prefix)
    paths.problem(text)
    paths.mounted(prefix, text)
    paths.align(f"/chat{prefix}", prefix)
    probes.probe_path(text, prefix, (prefix, "/chat"))


def _rewrites(text: str) -> None:
    expressions.prefixes(text, expressions.ANY_STYLE)
    expressions.why_not_evaluated(text, (expressions.Style(expressions.Syntax.PCRE, start="^"),))
    replacements.substitute(text, ("ab", "a", "b"))
    for transform in (
        rewrites.StripPrefix((text,)),
        rewrites.ReplacePrefixMatch(text),
        rewrites.AddPrefix(text),
        rewrites.ReplaceFullPath(text),
        rewrites.RewriteWholePath(text, "/$2"),
        rewrites.RewriteWholePath("/chat(/|$)(.*)", text),
        rewrites.RewriteWholePath(text, text, ignores_case=True),
        rewrites.ReplaceMatch(text, text),
        rewrites.ReplaceMatch("^/(?P<a>chat)", text),
        rewrites.StripPrefixRegex((text, "/[a-z]+")),
        rewrites.Unknown(text),
    ):
        rewrites.why_unknown(transform)
        rewrites.backend_prefix("/chat", [transform])


def _redirects(text: str) -> None:
    for redirect in (
        redirects.RedirectAll(text, text),
        redirects.RedirectRoot(text, text),
        redirects.RedirectRegex("x", text, text),
        redirects.RedirectRegex("x", "^(http)(.*)", text),
    ):
        rewrites.why_unknown(redirect)
        rewrites.first_redirect("/chat", [rewrites.AddPrefix(text), redirect], "http://chat.example")
        rewrites.first_redirect("", [redirect], text)


def _shadows(text: str) -> None:
    chosen = _route_path("/chat", Matching.PREFIX)
    for matching in Matching:
        for precedence in Precedence:
            path_overrides.takes(precedence, _route_path(text, matching), chosen, "/chat")


TEXTS: dict[str, Callable[[str], object]] = {
    "paths": _paths,
    "redirects": _redirects,
    "rewrites": _rewrites,
    "shadows": _shadows,
    "scripts": lambda text: parse.own_script([text, "assets/x.js"], "/chat/"),
    "template": lambda text: pod_template.filled({"image": text, "probes": {"path": text}}),
}


# ------------------------------------------------------------------------------------- bytes: the API server, apps


def take_bytes(raw: bytes, clock: Clock) -> None:
    """Give bytes to whoever reads some from a connection."""
    for name, decode in {
        "page": codec.decode_page,
        "event": codec.decode_event,
        "error": codec.decode_error,
        "bookmark": codec.decode_metadata,
        "endpoints": endpointslice.endpoints,
        "addresses": endpointslice.addresses_and_ports,
        **READERS,
    }.items():
        with clock.step(name), contextlib.suppress(msgspec.MsgspecError, ValueError):
            decode(raw)
    with clock.step("open packet"):
        parse.parse_open_packet(raw)
        parse.parse_open_packet(parse.OPEN_PREFIX + raw)
    with clock.step("description of an API"):
        chainlit_prefix(Reply(200, "application/json", raw))
    with clock.step("media type"):
        parse.looks_like_html("", raw)


def take_page(html: str) -> None:
    """Read a page; it is read in pieces, with others served between them, so that no step is long."""
    asyncio.run(parse.module_scripts(html))
