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

from .fakes import FakeChainlit, FakeEdge, answer, ask, named, serving

PARTS = ["cookie", "handshake", "packet", "packet", "packet", "upgrade", "page", "script"]
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
    assert len(PARTS) == MAX_REQUESTS_AT_EDGE


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
