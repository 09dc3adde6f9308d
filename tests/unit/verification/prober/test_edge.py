"""Requests as a browser sends them: cookies, replicas, redirects to https; and on which side a fault is."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from aiohttp import web
from tests.unit.certificates import HOST, both_sides
from yarl import URL

from chainlit_operator.domain.reasons import Reason
from chainlit_operator.verification.prober import MAX_REQUESTS_AT_EDGE, Outcome, Target, explain_side
from chainlit_operator.verification.prober.cookies import MAX_COOKIE_BYTES, MAX_COOKIES, ProbeCookies
from chainlit_operator.verification.prober.failures import Failure
from chainlit_operator.verification.prober.steps import redirects_to_https
from chainlit_operator.verification.prober.transport import Client

from .fakes import PATIENT, FakeChainlit, FakeEdge, Handler, answer, ask, html, named, serving
from .test_steps import disconnect

PARTS = ["cookie", "handshake", "packet", "packet", "packet", "upgrade", "page", "script", "settings"]
NO_NAME = OSError("not in this test")


def at_edge(app: FakeChainlit, scheme: str = "http") -> Target:
    """The target of an app by its host name."""
    return Target(f"{scheme}://{HOST}:{app.port}", "/chat", at_edge=True)


@pytest.mark.parametrize("root_path", ["", "/chat", "/team/chat"])
async def test_verifies_a_working_app(root_path: str) -> None:
    async with serving(FakeChainlit(root_path)) as app:
        outcome = await ask(app.edge)
    assert (outcome.reachable, outcome.reason) == (True, "Verified"), outcome
    assert f"{app.base_url}{root_path}/" in outcome.message
    assert app.parts == PARTS
    assert len(PARTS) == MAX_REQUESTS_AT_EDGE - 1, "by https it is one more"


async def test_each_request_has_the_origin_where_browsers_send_it_and_its_own_connection() -> None:
    async with serving(FakeChainlit("/chat")) as app:
        assert (await ask(app.edge)).reachable
    for seen in app.seen:
        has_origin = seen.part in ("cookie", "packet", "upgrade")
        assert seen.headers.get("Origin") == (app.base_url if has_origin else None), seen.part
        assert seen.headers["User-Agent"] == "chainlit-operator-prober"
        assert "Authorization" not in seen.headers
    assert len({id(seen.connection) for seen in app.seen}) == len(app.seen)


@pytest.mark.parametrize("status", [401, 404, 405, 500])
async def test_older_releases_do_not_know_the_session_cookie(status: int) -> None:
    async with serving(FakeChainlit("/chat", faults={"cookie": answer(status)})) as app:
        assert (await ask(app.edge)).reachable


# -- redirects


@pytest.mark.parametrize(
    ("location", "is_followed"),
    [
        ("https://chat.example.test{path}", True),
        ("https://chat.example.test:443{path}?x=1", True),
        ("//chat.example.test{path}", False),
        ("https://chat.example.test:8443{path}", False),
        ("https://chat.example.test/login", False),
        ("https://login.example.test{path}", False),
        ("https://user@login.example.test{path}", False),
        ("http://chat.example.test{path}", False),
        ("/login", False),
        ("https://chat.example.test:99999{path}", False),
        ("http://[bad", False),
        ("", False),
    ],
)
@pytest.mark.parametrize("status", [301, 308])
async def test_only_a_redirect_to_the_same_place_by_https_is_followed(
    location: str, is_followed: bool, status: int
) -> None:
    prober = named([["127.0.0.1"], NO_NAME])
    there = location.format(path="/chat/set-session-cookie")
    async with serving(FakeChainlit("/chat", faults={"cookie": answer(status, Location=there)})) as app:
        outcome = await prober.probe(at_edge(app))
    first = (HOST, app.port)
    assert prober.resolve.asked == ([first, (HOST, 443)] if is_followed else [first])  # type: ignore[attr-defined]
    assert outcome.reason == (Reason.DNS_LOOKUP_FAILED if is_followed else Reason.REDIRECTED), outcome
    assert "login" not in outcome.message
    assert outcome.message.startswith("Redirected to https: ") is is_followed


async def test_an_address_beside_the_name_is_kept_by_https() -> None:
    prober = named([["127.0.0.1"], NO_NAME])
    fault = answer(308, Location=f"https://{HOST}/chat/set-session-cookie")
    async with serving(FakeChainlit("/chat", faults={"cookie": fault})) as app:
        await prober.probe(Target(f"http://edge.test:{app.port}", "/chat", host_header=HOST, at_edge=True))
    assert prober.resolve.asked == [("edge.test", app.port), ("edge.test", 443)]  # type: ignore[attr-defined]


async def test_a_redirect_of_a_service_to_https_is_not_followed() -> None:
    fault = answer(308, Location="https://127.0.0.1/chat/ws/socket.io/")
    async with serving(FakeChainlit("/chat", faults={"handshake": fault})) as app:
        assert (await ask(app.target)).reason == Reason.REDIRECTED


async def test_https_is_not_redirected_to_itself(tmp_path: Path) -> None:
    server_tls, tls = both_sides(tmp_path)
    fault = answer(308, Location=f"https://{HOST}/chat/set-session-cookie")
    async with serving(FakeChainlit("/chat", faults={"cookie": fault}), server_tls) as app:
        outcome = await named(tls=tls).probe(at_edge(app, "https"))
    assert outcome.reason == Reason.REDIRECTED and len(app.seen) == 1


# -- the path without its slash


@pytest.mark.parametrize(
    ("location", "is_told"),
    [
        (f"http://{HOST}/chat/", True),
        (f"http://{HOST}:80/chat/", True),
        (f"https://{HOST}/chat/", False),
        ("/chat/", False),
        ("http://login.example/chat/", False),
        ("http://[bad", False),
    ],
)
async def test_a_path_without_its_slash_that_leaves_https(tmp_path: Path, location: str, is_told: bool) -> None:
    server_tls, tls = both_sides(tmp_path)
    prober = named([["127.0.0.1"], NO_NAME], tls=tls)
    async with serving(FakeChainlit("/chat", faults={"slash": answer(307, Location=location)}), server_tls) as app:
        outcome = await prober.probe(at_edge(app, "https"))
    assert outcome.reachable and app.parts == [*PARTS, "slash"]
    assert len(app.seen) == MAX_REQUESTS_AT_EDGE
    assert ((HOST, 80) in prober.resolve.asked) is is_told  # type: ignore[attr-defined]
    works = f"Engine.IO handshake, WebSocket upgrade, page and script work at https://{HOST}:{app.port}/chat/"
    warning = (
        f" But https://{HOST}:{app.port}/chat without the slash is redirected to http, because the app does not "
        "believe X-Forwarded-Proto. Set FORWARDED_ALLOW_IPS=* in its container."
    )
    assert outcome.message == f"{works}, requested as browsers do.{warning if is_told else ''}"


@pytest.mark.parametrize("slash", [answer(404), answer(200), answer(500), disconnect])
async def test_other_answers_without_the_slash_say_nothing(tmp_path: Path, slash: Handler) -> None:
    server_tls, tls = both_sides(tmp_path)
    async with serving(FakeChainlit("/chat", faults={"slash": slash}), server_tls) as app:
        outcome = await named(tls=tls).probe(at_edge(app, "https"))
    assert outcome.reachable and outcome.fix == "" and app.parts[-1] == "slash"


@pytest.mark.parametrize(
    ("page", "goes_back"),
    [
        (answer(301, Location=f"https://{HOST}/chat/"), True),
        (answer(301, Location=f"https://{HOST}/"), False),
        (answer(301, Location="https://login.example/chat/"), False),
        (answer(200), False),
        (answer(404), False),
        (disconnect, False),
    ],
)
async def test_whether_an_edge_takes_browsers_back_to_https(page: Handler, goes_back: bool) -> None:
    async with serving(FakeChainlit("/chat", faults={"page": page})) as app:
        target = Target(f"http://127.0.0.1:{app.port}", "/chat", host_header=HOST, at_edge=True)
        client = Client(target, PATIENT, None)
        try:
            async with named().connected(client):
                found = await redirects_to_https(client)
        except Failure:
            found = False
    assert found is goes_back


# -- who sent an answer


@pytest.mark.parametrize(
    ("part", "handler", "reason", "sender"),
    [
        ("cookie", answer(302, Location="https://login.example/"), "Redirected", "Login"),
        ("handshake", answer(302, Location="/oauth2/start"), "Redirected", "Login"),
        ("handshake", answer(401), "HandshakeRefused", "Login"),
        ("handshake", answer(403), "HandshakeRefused", "Login"),
        ("handshake", answer(407), "HandshakeRefused", "Login"),
        ("handshake", answer(400), "HandshakeRefused", "Other"),
        ("handshake", answer(429), "HandshakeRefused", "Other"),
        ("handshake", answer(404, '{"detail":"Not Found"}', "application/json"), "HandshakeNotFound", "Chainlit"),
        ("handshake", answer(404, "404 page not found\n"), "HandshakeNotFound", "Controller"),
        ("handshake", answer(404, "default backend - 404"), "HandshakeNotFound", "Controller"),
        ("handshake", answer(404, "<p>Nothing here", Server="nginx/1.27"), "HandshakeNotFound", "Controller"),
        ("handshake", answer(404, ""), "HandshakeNotFound", "Controller"),
        ("handshake", answer(404, "<p>Company portal"), "HandshakeNotFound", "Other"),
        ("handshake", answer(502), "ServerError", "Controller"),
        ("handshake", answer(500), "ServerError", "Controller"),
        ("handshake", answer(200, html("/chat/x.js"), "text/html"), "HandshakeIsHTML", "Chainlit"),
        ("handshake", answer(200, "<p>Log in", "text/html"), "HandshakeIsHTML", "Other"),
        ("handshake", answer(200, "ok"), "HandshakeMalformed", "Other"),
        ("handshake", disconnect, "ConnectionLost", "Nobody"),
        ("packet", answer(400, "Invalid session"), "SessionLost", "Chainlit"),
        ("upgrade", answer(403), "UpgradeRefused", "Chainlit"),
        ("upgrade", disconnect, "UpgradeRefused", "Chainlit"),
        ("page", answer(401), "PageRefused", "Login"),
        ("page", answer(302, Location="/login"), "Redirected", "Login"),
        ("page", answer(429), "PageRefused", "Other"),
        ("page", answer(404), "PageNotFound", "Chainlit"),
        ("page", answer(200, "<p>Log in", "text/html"), "PageMalformed", "Other"),
        ("page", answer(200, html("/assets/x.js"), "text/html"), "AssetsMissing", "Chainlit"),
        ("page", disconnect, "ConnectionLost", "Nobody"),
        ("script", answer(404), "AssetsMissing", "Chainlit"),
        ("script", answer(401), "AssetsMissing", "Login"),
        ("script", answer(302, Location="/login"), "Redirected", "Login"),
        ("settings", answer(500), "ProjectSettingsFailed", "Chainlit"),
    ],
)
async def test_who_sent_the_answer(part: str, handler: Handler, reason: str, sender: str) -> None:
    async with serving(FakeChainlit("/chat", faults={part: handler})) as app:
        outcome = await ask(app.edge)
    assert (outcome.reason, outcome.answered_by) == (reason, sender), outcome


# -- replicas and cookies


def in_turn(_: web.Request, count: int) -> int:
    return count


def by_cookie(request: web.Request, count: int) -> int:
    return int(request.cookies.get("replica", count))


def by_session_cookie(request: web.Request, count: int) -> int:
    return hash(request.cookies["X-Chainlit-Session-id"]) if "X-Chainlit-Session-id" in request.cookies else count


async def test_replicas_without_affinity() -> None:
    async with serving(FakeEdge(in_turn)) as edge:
        outcome = await ask(edge.edge)
    assert outcome.reason == Reason.SESSION_LOST, outcome
    assert "another replica" in outcome.message and "session affinity" in outcome.message


async def test_replicas_at_random_are_seldom_missed() -> None:
    rolls = random.Random(4)
    async with serving(FakeEdge(lambda *_: rolls.randrange(2))) as edge:
        reasons = [(await ask(edge.edge)).reason for _ in range(40)]
    assert set(reasons) == {Reason.SESSION_LOST, Reason.VERIFIED}
    assert reasons.count(Reason.VERIFIED) <= 8


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ("Path=/", Reason.VERIFIED),
        ("Path=/chat; HttpOnly; SameSite=Lax; Max-Age=60", Reason.VERIFIED),
        ("Path=/chatter", Reason.SESSION_LOST),
        ("Path=/; Secure", Reason.SESSION_LOST),
        ("Path=/; Max-Age=0", Reason.SESSION_LOST),
        ("Path=/; Domain=example.test", Reason.VERIFIED),
        ("Path=/; Domain=other.test", Reason.SESSION_LOST),
    ],
)
async def test_replicas_with_a_sticky_cookie(attributes: str, reason: Reason) -> None:
    async with serving(FakeEdge(by_cookie, f"replica={{}}; {attributes}")) as edge:
        outcome = await named().probe(at_edge(edge))
    assert outcome.reason == reason, outcome


@pytest.mark.parametrize("sticky", [(by_cookie, "replica={}; Path=/; Secure"), (by_session_cookie,)])
async def test_secure_cookies_count_by_https(tmp_path: Path, sticky: tuple[object, ...]) -> None:
    server_tls, tls = both_sides(tmp_path)
    async with serving(FakeEdge(*sticky), server_tls) as edge:  # type: ignore[arg-type]
        outcome = await named(tls=tls).probe(at_edge(edge, "https"))
    assert outcome.reachable, outcome
    assert edge.seen[-1].headers["Host"] == f"{HOST}:{edge.port}"


async def test_cookies_end_with_the_probe() -> None:
    async with serving(FakeChainlit("/chat")) as app:
        for _ in range(2):
            assert (await ask(app.edge)).reachable
    assert "Cookie" in app.seen[len(PARTS) - 1].headers
    assert "Cookie" not in app.seen[0].headers and "Cookie" not in app.seen[len(PARTS)].headers


@pytest.mark.parametrize(("number", "size"), [(90, 50), (1, 8000), (40, 4000), (3, 3900)])
async def test_cookie_bombs(number: int, size: int) -> None:
    async def handler(_: web.Request) -> web.Response:
        response = web.Response(text="{}")
        for place in range(number):
            response.headers.add("Set-Cookie", f"c{place}={'x' * size}; Path=/")
        return response

    async with serving(FakeChainlit("/chat", faults={"cookie": handler})) as app:
        outcome = await ask(app.edge)
    assert outcome.reachable, outcome
    for seen in app.seen:
        assert len(seen.headers.get("Cookie", "")) <= MAX_COOKIE_BYTES
        assert seen.headers.get("Cookie", "").count("=") <= MAX_COOKIES


async def test_a_cookie_that_is_set_repeatedly_counts_each_time() -> None:
    jar = ProbeCookies(URL("http://chat.example.test"))
    for _ in range(10_000):
        jar.update_cookies_from_headers(["a=" + "x" * 900 + "; Path=/"], URL("http://10.0.0.1/chat/"))
    jar.update_cookies_from_headers(["b=" + "x" * 900 + "; Path=/"], URL("http://10.0.0.1/chat/"))
    assert list(jar.filter_cookies(URL("http://10.0.0.1/chat/"))) == ["a"]


async def test_few_and_small_cookies_are_kept() -> None:
    jar = ProbeCookies(URL("http://chat.example.test"))
    big = [f"big{n}=" + "x" * 3900 for n in range(9)]
    jar.update_cookies_from_headers([*big, *(f"small{n}=1" for n in range(99))], URL("http://10.0.0.1/chat/"))
    assert sum(len(cookie.value) for cookie in jar) <= MAX_COOKIE_BYTES
    assert len(jar) == MAX_COOKIES, "small cookies still fit"


# -- both sides

GOOD = Outcome(Reason.VERIFIED, "All answered")
EDGE_BAD = Outcome(Reason.SESSION_LOST, "POST https://chat.example.test/chat/ is refused", "Do this")
BACKEND_BAD = Outcome(Reason.CONNECTION_REFUSED, "GET http://10.0.0.7/chat/ finds nothing that listens", "Do that")


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        (GOOD, f"The app answers through its Service, so the fault is in front of it: {EDGE_BAD.found}. Do this."),
        (BACKEND_BAD,
         f"The app does not answer through its Service either: {BACKEND_BAD.found} (at the edge: {EDGE_BAD.found}). "
         "Do that."),
        (None, EDGE_BAD.message),
    ],
)  # fmt: skip
def test_the_side_of_a_fault(backend: Outcome | None, message: str) -> None:
    explained = explain_side(EDGE_BAD, backend)
    assert (explained.reachable, explained.reason) == (False, Reason.SESSION_LOST)
    assert explained.message == message
