"""Releases that answer elsewhere, each as measured on its wheel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web
from tests.unit.certificates import HOST, both_sides

from chainlit_operator.domain.reasons import Reason
from chainlit_operator.verification.prober import MAX_REQUESTS, Outcome, Prober, Target, explain_release

from .fakes import PATIENT, FakeChainlit, allow_any, answer, ask, html, named, serving


@dataclass
class Release(FakeChainlit):
    """A Chainlit whose routes are at ``root_path`` while its page says ``page_says``."""

    page_says: str = ""

    async def page(self, _: web.Request) -> web.Response:
        return web.Response(text=html(f"{self.page_says}/assets/index-B2u6IBgX.js"), content_type="text/html")


class DoubledSlash(Release):
    """1.1.404: Engine.IO is mounted at ``//chat/ws`` and knows nothing there; the catch-all has the rest."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path.startswith("//chat/ws/"):
            return web.Response(status=404, text="Not Found")
        if not request.path.startswith("/chat/"):
            return await self._not_found(request)
        return await self.page(request)


class CatchAll(Release):
    """2.2.1: all at ``/``, the page for unknown paths."""

    def _route(self, request: web.Request) -> tuple[str, object]:  # type: ignore[override]
        part, usual = super()._route(request)
        return (part, self.page) if part == "catch-all" else (part, usual)


async def explained(app: FakeChainlit, root_path: str, page_prefix: str = "") -> tuple[Reason, Outcome]:
    async with serving(app):
        target = Target(app.base_url, root_path, page_prefix)
        failed = await ask(target)
        return failed.reason, await explain_release(Prober(PATIENT, allow=allow_any), target, failed)


@pytest.mark.parametrize(
    ("app", "root_path", "page_prefix", "seen", "reason", "says"),
    [
        (DoubledSlash("/chat", page_says="/chat"), "/chat", "",
         "HandshakeIsHTML", "SocketAtDoubledSlash", ("//chat/ws", "2.4.1 or later")),
        (CatchAll(page_says="/chat"), "/chat", "",
         "HandshakeIsHTML", "RootPathInPageOnly", ("/chat", "2.0.6 to 2.2.1", "2.4.1 or later")),
        (CatchAll(page_says="/chat"), "/chat", "/team",
         "HandshakeIsHTML", "RootPathInPageOnly", ("/chat", "2.4.1 or later")),
        (CatchAll(), "/chat", "", "HandshakeIsHTML", "RootPathIgnored", ("/chat", "chainlit run")),
        (CatchAll(), "", "/chat", "AssetsMissing", "ParentRootPathIgnored", ("/chat", "2.4.1 or later")),
        (Release("/chat", page_says="/chat"), "/chat", "/team",
         "AssetsMissing", "ParentRootPathIgnored", ("/team", "2.4.1 or later")),
    ],
)  # fmt: skip
async def test_recognised(
    app: FakeChainlit, root_path: str, page_prefix: str, seen: str, reason: str, says: tuple[str, ...]
) -> None:
    failed, found = await explained(app, root_path, page_prefix)
    assert (failed, found.reason, found.reachable) == (seen, reason, False)
    assert all(words in found.message for words in says)


@pytest.mark.parametrize(
    ("app", "root_path", "page_prefix", "reason"),
    [
        (Release("/bot", page_says="/bot"), "/chat", "", "HandshakeNotFound"),
        (Release("/chat", page_says="/chat"), "", "/chat", "HandshakeNotFound"),
        (Release(page_says="/other"), "", "/chat", "AssetsMissing"),
        (
            FakeChainlit("/chat", faults={"handshake": answer(404, "404 page not found")}),
            "/chat",
            "",
            "HandshakeNotFound",
        ),
        (FakeChainlit("/chat", faults={"upgrade": answer(400)}), "/chat", "", "UpgradeRefused"),
        (FakeChainlit("/chat", "/team", faults={"script": answer(404)}), "/chat", "/team", "AssetsMissing"),
    ],
)
async def test_other_faults_are_told_as_they_are(
    app: FakeChainlit, root_path: str, page_prefix: str, reason: str
) -> None:
    failed, found = await explained(app, root_path, page_prefix)
    assert found.reason == failed == reason


async def test_a_look_is_bounded() -> None:
    app = CatchAll(page_says="/other")
    await explained(app, "/chat")
    assert len(app.seen) <= 1 + 1 + 2 * MAX_REQUESTS


async def test_an_app_that_went_away_meanwhile_is_told_as_it_was() -> None:
    async with serving(CatchAll()) as app:
        target = Target(app.base_url, "/chat")
        failed = await ask(target)
    assert await explain_release(Prober(PATIENT, allow=allow_any), target, failed) == failed


class OddType(DoubledSlash):
    """Says a type of its answer that no parser of headers expects."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path.startswith("//chat/ws/"):
            return web.Response(status=404, body=b"Not Found", headers={"Content-Type": "text/plain; a*"})
        return await super().handle(request)


async def test_whatever_an_app_answers_is_no_fault_of_the_operator() -> None:
    failed, found = await explained(OddType("/chat", page_says="/chat"), "/chat")
    assert (failed, found.reason) == ("HandshakeIsHTML", "HandshakeIsHTML")


async def test_recognised_by_https_with_an_authority_of_its_own(tmp_path: Path) -> None:
    server_tls, tls = both_sides(tmp_path)
    async with serving(DoubledSlash("/chat", page_says="/chat"), server_tls) as app:
        target = Target(f"https://{HOST}:{app.port}", "/chat")
        prober = named([["127.0.0.1"]] * 2, tls=tls)
        found = await explain_release(prober, target, await prober.probe(target))
    assert found.reason == "SocketAtDoubledSlash"
