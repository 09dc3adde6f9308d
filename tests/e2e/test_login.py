"""``authProxy`` of the app chart: a login at a real OpenID Connect provider, as a browser goes through it."""

from __future__ import annotations

import asyncio
import html
import json
import re
import socket
import sys
import uuid
from collections.abc import Awaitable, Callable
from functools import cache
from typing import TypeVar
from urllib.parse import urljoin, urlsplit

import aiohttp
import pytest
import socketio
from aiohttp.abc import AbstractResolver, ResolveResult

from tests.e2e.cluster import START, Space, image_values, run
from tests.e2e.test_persistence import put, secret, serve
from tests.objects import ingress, ingress_path, ingress_rule
from tests.waiting import eventually

T = TypeVar("T")

pytestmark = pytest.mark.slow

APP = """\
import chainlit as cl


@cl.header_auth_callback
def user(headers):
    return cl.User(identifier=headers["x-forwarded-email"])


@cl.on_message
async def echo(message: cl.Message):
    await cl.Message(content=f"{cl.user_session.get('user').identifier}: {message.content}").send()
"""
USER, PASSWORD, STRANGER = "ann@example.com", "open", "eve@elsewhere.example"
CLIENT = {"id": "chat", "secret": "a-secret"}
#: Past the prefix, what a page of Chainlit asks for.
PATHS = ("", "/", "/user", "/project/settings", "/public/elements/x.js")
#: What the app believes, if it comes from the proxy.
FORGED = {"X-Forwarded-Email": USER, "X-Forwarded-User": USER}


@cache
def images() -> dict[str, str]:
    """Return the images of both sides of the login, which are built and loaded at need."""
    wanted = ["oauth2-proxy", "dex"]
    built = run(sys.executable, "-m", "tests.cluster", "servers", *wanted, timeout=1800.0)
    return dict(zip(wanted, built.split(), strict=True))


class _EdgeResolver(AbstractResolver):
    """Finds the cluster's edge behind every name, at a port of this machine."""

    def __init__(self, edge: str) -> None:
        self.edge = urlsplit(edge)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        place, port = str(self.edge.hostname), self.edge.port or 80
        family = socket.AF_INET6 if ":" in place else socket.AF_INET
        return [ResolveResult(hostname=host, host=place, port=port, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        """There is nothing to close."""


class Browser:
    """A browser with its cookies. All methods raise AssertionError where something answers otherwise."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self.http, self.url = http, url

    async def log_in(self, email: str = USER) -> str:
        """Open the app, log in at the page that comes, and return where that ends."""
        async with self.http.get(f"{self.url}/") as response:
            form = re.search(r'<form method="post" action="([^"]+)"', await response.text())
            assert form and response.status == 200, f"{response.status} at {response.url}"
            action = urljoin(str(response.url), html.unescape(form[1]))
        async with self.http.post(action, data={"login": email, "password": PASSWORD}) as response:
            return f"{response.status} {response.url}"

    async def answer(self, method: str, place: str) -> str:
        """Ask the app as somebody who claims to be a user, and return status, and the address of a redirect."""
        ask = self.http.request(method, self.url + place, headers=FORGED, allow_redirects=False)
        async with ask as response:
            return f"{response.status} {response.headers.get('Location', '').partition('?')[0]}".strip()

    async def say(self, text: str) -> str:
        """Say something to the app as Chainlit's page does, by a WebSocket, and return the reply."""
        async with self.http.post(f"{self.url}/auth/header") as response:
            assert response.status == 200, f"/auth/header: {response.status}"
        session = str(uuid.uuid4())
        async with self.http.post(f"{self.url}/set-session-cookie", json={"session_id": session}) as response:
            assert response.status == 200, f"/set-session-cookie: {response.status}"
        client = socketio.AsyncClient(http_session=self.http, reconnection=False)
        replies: asyncio.Queue[str] = asyncio.Queue()
        client.on("new_message", lambda message: replies.put_nowait(message["output"]))
        place = urlsplit(self.url)
        auth = {"clientType": "webapp", "sessionId": session, "threadId": "", "userEnv": "{}", "chatProfile": ""}
        await client.connect(
            f"{place.scheme}://{place.netloc}",
            auth=auth,
            socketio_path=f"{place.path}/ws/socket.io",
            transports=["websocket"],
        )
        try:
            await client.emit("connection_successful")
            message = {"id": str(uuid.uuid4()), "name": "user", "type": "user_message", "output": text}
            await client.emit("client_message", {"message": {**message, "createdAt": "", "threadId": ""}})
            async with asyncio.timeout(30):
                while not (reply := await replies.get()).endswith(f": {text}"):
                    pass
                return reply
        finally:
            await client.disconnect()


def browse(space: Space, url: str, visit: Callable[[Browser], Awaitable[T]]) -> T:
    """Visit the app with a new browser, which has no cookies yet."""

    async def visited() -> T:
        connector = aiohttp.TCPConnector(resolver=_EdgeResolver(space.cluster.edge))
        timeout = aiohttp.ClientTimeout(total=60)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
            return await visit(Browser(http, url))

    try:
        return asyncio.run(visited())
    except (aiohttp.ClientError, socketio.exceptions.SocketIOError, OSError) as error:
        raise AssertionError(f"{type(error).__name__}: {error}") from error


def install(space: Space) -> tuple[str, str]:
    """Have the provider, and the app behind a login. Returns the URLs of the app and of the provider."""
    root = space.serve_at_node()
    url, issuer = f"http://{space.host}{root}", f"http://{space.host}{root}-dex"
    client = {**CLIENT, "name": "chat", "redirectURIs": [f"{url}/oauth2/callback"]}
    given = {"issuer": issuer, "clients": [client], "passwords": {USER: PASSWORD, STRANGER: PASSWORD}}
    rule = ingress_rule(ingress_path(f"{root}-dex", service="dex", port=5556), host=space.host)
    keys = {"client-id": CLIENT["id"], "client-secret": CLIENT["secret"], "cookie-secret": uuid.uuid4().hex}
    route = ingress(name="dex", rules=[rule])
    serve(space, "dex", images()["dex"], f"DEX='{json.dumps(given)}' exec dex", 5556, route, secret("login", **keys))
    put(
        space,
        space.cluster.demo_image,
        app={"files": {"app.py": APP}},
        route={"controller": "traefik", "className": "traefik", "host": space.host, "path": root},
        operator={"enabled": True},
        networkPolicy={"enabled": True},
        tests={"image": image_values(space.cluster.operator_image)},
        authProxy={
            "enabled": True,
            "image": image_values(images()["oauth2-proxy"]),
            "issuerURL": issuer,
            "existingSecret": "login",
            "emailDomains": [USER.partition("@")[2]],
        },
    )
    return url, issuer


def test_only_users_reach_the_app_and_the_app_knows_them(space: Space) -> None:
    url, issuer = install(space)
    space.await_ready()
    # The pod that the chart made ends: it has no root path, which the operator wrote later.
    eventually(lambda: space.objects("Pod"), lambda pods: len(pods) == 2, timeout=START)  # that of dex, and the app's

    async def ask_without_a_login(browser: Browser) -> None:
        for place in PATHS:
            assert await browser.answer("GET", place) == f"302 {issuer}/auth", place
        assert await browser.answer("POST", "/auth/header") == f"302 {issuer}/auth"
        assert await browser.answer("GET", "/ws/socket.io/?EIO=4&transport=polling") == "401"
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await browser.http.ws_connect(f"{url}/ws/socket.io/?EIO=4&transport=websocket", headers=FORGED)
        assert refused.value.status == 401

    async def talk(browser: Browser) -> str:
        assert await browser.log_in() == f"200 {url}/"
        return await browser.say("hello")

    async def log_in_as_a_stranger(browser: Browser) -> str:
        return (await browser.log_in(STRANGER)).partition("?")[0]

    eventually(lambda: browse(space, url, ask_without_a_login), lambda _: True, timeout=START)
    assert browse(space, url, talk) == f"{USER}: hello"
    assert browse(space, url, log_in_as_a_stranger) == f"403 {url}/oauth2/callback"

    space.helm("test", "chat")
    assert space.find("Service", "chat-test-app") is None
    assert space.condition("Ready").status == "True"
