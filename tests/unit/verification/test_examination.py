"""What one pod shows: where Chainlit answers in it, and why it does not become ready."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from tests.unit.apiserver import ApiServer, page, reply
from tests.unit.verification.prober.fakes import FakeChainlit, allow_any, answer, raw_server, serving
from tests.unit.verification.test_pods import NOT_READY, PODS, endpoint, endpoint_slice

from chainlit_operator.domain.model import NOBODY, Cause, Finding, Speaking, SpeakingPort, Whereabouts, WhyUnready
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.verification.examination import Pod, chainlit_prefix, speaking_port, whereabouts, why_unready
from chainlit_operator.verification.pods import PodAddresses, PodAsker
from chainlit_operator.verification.prober import Policy, Prober, address_allowed
from chainlit_operator.verification.prober.fetch import Reply

WHERE = Whereabouts(PODS, 8000, "/chat", ("/bot", "/chainlit"))


def openapi(*found: str) -> dict[str, Any]:
    return {"openapi": "3.1.0", "paths": {path: {"get": {}} for path in found}}


class Process(FakeChainlit):
    """Chainlit with the description of its API; below ``mounted`` another app mounts it."""

    def __init__(self, root_path: str = "", *, mounted: str = "", faults: dict[str, Any] | None = None) -> None:
        super().__init__(mounted + root_path, faults=faults or {})
        self.mounted, self.inner = mounted, root_path

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path == f"{self.mounted}/openapi.json":
            return web.json_response(openapi(*(self.inner + path for path in ("/project/settings", "/auth/config"))))
        if self.mounted and request.path in ("/openapi.json", "/alive"):
            return web.json_response(openapi("/alive"))
        return await super().handle(request)


@asynccontextmanager
async def pod(app: FakeChainlit, allow: Policy = allow_any) -> AsyncIterator[tuple[Pod, Whereabouts]]:
    async with serving(app):
        yield Pod(Prober(allow=allow), "127.0.0.1"), replace(WHERE, port=app.port)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


ODD = Process("/" + "x" * 101)
CASES = [
    (Process("/chat"), Finding(Cause.NOTHING)),
    (Process("/anything"), Finding(Cause.OWN_ROOT_PATH, prefix="/anything")),
    (FakeChainlit("/bot"), Finding(Cause.OWN_ROOT_PATH, prefix="/bot")),
    (Process(mounted="/chainlit"), Finding(Cause.MOUNTED, prefix="/chainlit")),
    (Process(mounted="/unknown"), Finding(Cause.ELSE, status=404)),
    (Process(""), Finding(Cause.ELSE, status=200)),
    (Process("/x", faults={"handshake": answer(502)}), Finding(Cause.ELSE, status=404)),
    (ODD, Finding(Cause.ELSE, status=404)),
    (Process("/chat", faults={"handshake": answer(502)}), Finding(Cause.ELSE, status=502)),
    (Process("/chat", faults={"handshake": answer(307, Location="/x")}), Finding(Cause.ELSE)),
]


@pytest.mark.parametrize(("app", "finding"), CASES, ids=range(len(CASES)))
async def test_where_chainlit_answers(app: FakeChainlit, finding: Finding) -> None:
    async with pod(app) as (found, question):
        assert await whereabouts(found, question) == finding
        assert await why_unready(found, WhyUnready(question)) == finding


async def test_without_a_connection() -> None:
    question = replace(WHERE, port=free_port())
    found = Pod(Prober(allow=allow_any), "127.0.0.1")
    assert await whereabouts(found, question) is None
    silent = Finding(Cause.NOT_LISTENING, port=question.port)
    assert await why_unready(found, WhyUnready(question, (free_port(),))) == silent
    found = Pod(Prober(allow=address_allowed), "127.0.0.1")
    assert await whereabouts(found, question) is None
    assert await why_unready(found, WhyUnready(question)) == Finding(Cause.UNREACHABLE, port=question.port)
    found = Pod(Prober(allow=allow_any), "not an address")
    assert await whereabouts(found, question) == Finding(Cause.ELSE)


async def test_chainlit_on_another_port() -> None:
    async with pod(Process("/chat")) as (found, question):
        asked = WhyUnready(replace(question, port=free_port()), (free_port(), question.port))
        assert await why_unready(found, asked) == Finding(Cause.OTHER_PORT, port=question.port)


@pytest.mark.parametrize(
    ("path", "status"), [("/chat/health", 0), ("health", 404), ("/healthz?full=1", 404), ("/chat/busy", 503)]
)
async def test_probe_that_fails(path: str, status: int) -> None:
    app = Process("/chat", faults={"catch-all": answer(503)} if status == 503 else None)
    async with pod(app) as (found, question):
        probes = (("startupProbe", free_port(), "/x"), ("readinessProbe", app.port, path))
        finding = Finding(Cause.PROBE, probe="readinessProbe", status=status) if status else Finding(Cause.NOTHING)
        assert await why_unready(found, WhyUnready(question, probes=probes)) == finding


async def test_a_redirect_of_a_probe_is_a_success() -> None:
    app = Process("/chat", faults={"catch-all": answer(307, Location="/x")})
    async with pod(app) as (found, question):
        probes = (("readinessProbe", app.port, "/chat/health"),)
        assert await why_unready(found, WhyUnready(question, probes=probes)) == Finding(Cause.NOTHING)


async def test_what_is_no_chainlit_may_have_a_probe_that_fails() -> None:
    async with pod(FakeChainlit("/mine")) as (found, question):
        probes = (("readinessProbe", question.port, "/healthz"),)
        finding = Finding(Cause.PROBE, probe="readinessProbe", status=404)
        assert await why_unready(found, WhyUnready(question, probes=probes)) == finding


async def test_an_answer_that_is_no_http() -> None:
    async with raw_server(b"SSH-2.0-OpenSSH_9.2\r\n") as target:
        port = int(target.base_url.rpartition(":")[2])
        found = Pod(Prober(allow=allow_any), "127.0.0.1")
        assert await why_unready(found, WhyUnready(replace(WHERE, port=port))) == Finding(Cause.ELSE)


BOTH = ("/project/settings", "/auth/config")


@pytest.mark.parametrize(
    ("status", "body", "prefix"),
    [
        (200, openapi(*BOTH), ""),
        (200, openapi(*(f"/a/b{path}" for path in BOTH)), "/a/b"),
        (200, openapi("/alive", *(f"/x{path}" for path in BOTH)), "/x"),
        (200, openapi("/x/project/settings", "/auth/config"), None),
        (200, openapi("/project/settings"), None),
        (200, openapi(*(f"/ü{path}" for path in BOTH)), None),
        (200, openapi(*(f"/{'a' * 99}{path}" for path in BOTH)), f"/{'a' * 99}"),
        (200, openapi(*(f"/{'a' * 100}{path}" for path in BOTH)), None),
        (404, openapi(*BOTH), None),
        (200, {"paths": []}, None),
        (200, {}, None),
        (200, [], None),
    ],
)
def test_prefix_in_the_description_of_the_api(status: int, body: Any, prefix: str | None) -> None:
    assert chainlit_prefix(Reply(status, "application/json", json.dumps(body).encode())) == prefix


def test_no_description_of_an_api() -> None:
    assert chainlit_prefix(Reason.TIMED_OUT) is None
    assert chainlit_prefix(Reply(200, "text/html", b"<html>")) is None
    assert chainlit_prefix(Reply(200, "application/json", b'{"paths": ' + b"[" * 100_000)) is None


async def test_which_pods_are_asked() -> None:
    async def policy() -> Policy:
        return allow_any

    server = ApiServer()
    async with server.serving() as api, serving(Process("/chat")) as app:
        asker = PodAsker(PodAddresses(api), policy)
        where = replace(WHERE, port=app.port)
        ready = page(endpoint_slice(endpoint()))
        starting = page(endpoint_slice(NOT_READY))
        for found, question, finding in (
            (ready, where, Finding(Cause.NOTHING)),
            (starting, where, NOBODY),
            (ready, WhyUnready(where), NOBODY),
            (starting, WhyUnready(where), Finding(Cause.NOTHING)),
            (ready, SpeakingPort(PODS, (app.port,), ("/chat",)), Speaking(app.port)),
        ):
            server.script = [reply(found)]
            assert await asker.answer(question) == finding


@pytest.mark.parametrize(
    ("app", "prefixes", "speaks"),
    [
        (Process("/any"), ("",), True),
        (FakeChainlit("/bot"), ("", "/bot"), True),
        (FakeChainlit("/bot"), ("", "/other"), False),
        (Process(mounted="/bot"), ("/bot",), True),
    ],
)
async def test_port_that_speaks_engine_io(app: FakeChainlit, prefixes: tuple[str, ...], speaks: bool) -> None:
    async with pod(app) as (found, _):
        question = SpeakingPort(PODS, (free_port(), app.port), prefixes)
        assert await speaking_port(found, question) == Speaking(app.port if speaks else 0)


async def test_no_port_answers() -> None:
    found = Pod(Prober(allow=allow_any), "127.0.0.1")
    assert await speaking_port(found, SpeakingPort(PODS, (free_port(), free_port()), ("",))) is None
