"""``embed.origins`` of the app chart: Chainlit's copilot on pages of other sites, in a real browser.

A page has the script that the notes of the release print. The page and the app are behind https, as in production.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import re
import ssl
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from tests.e2e import browser, certificates
from tests.e2e.browser import Tab
from tests.e2e.cluster import START, Space
from tests.e2e.forwarding import forwarded
from tests.e2e.test_persistence import put
from tests.objects import Object
from tests.waiting import eventually

pytestmark = pytest.mark.slow

SHOP, STRANGER = "www.shop.example", "www.stranger.example"
SECRET = "x" * 40
LOGIN = """\
import chainlit as cl


@cl.password_auth_callback
def login(name: str, password: str):
    return None


@cl.on_message
async def greet(message: cl.Message):
    await cl.Message(content=f"echo: {message.content} of {cl.user_session.get('user').identifier}").send()
"""
#: The widget is in a shadow root.
ROOT = "document.getElementById('chainlit-copilot')?.shadowRoot"
TEXT = f"({ROOT}?.getElementById('cl-shadow-root')?.innerText ?? '')"
NO_TOKEN = "No authentication token"
FAILED = f"{TEXT}.match(/Failed to fetch|Could not reach the server|{NO_TOKEN}/)?.[0]"


@dataclass(frozen=True)
class Visit:
    """What the copilot of a page shows: the answer, or the complaint in its place. And what the browser did."""

    shown: str
    complaints: str
    blocked_cookies: dict[str, list[str]]
    cookies: dict[str, Object]
    sockets: int


@dataclass(frozen=True)
class Pages:
    """Pages at any host with the copilot of the app at ``host``; ``edge`` is where the cluster takes https."""

    host: str
    edge: str
    files: Path

    def visit(self, host: str, script: str, *, third_party_cookies: bool = True) -> Visit:
        """Open the page of a host in a new browser, say hello, and return what comes. Raises BrowserError."""
        return asyncio.run(self._visit(host, script, third_party_cookies))

    async def _visit(self, host: str, script: str, third_party_cookies: bool) -> Visit:
        async with self._served(script) as server:
            hosts = {f"{self.host}:443": self.edge, f"{host}:443": server}
            async with browser.tab(hosts, third_party_cookies=third_party_cookies) as tab:
                await tab.open(f"https://{host}/")
                shown = await say(tab, "hello")
                complaints = "\n".join(tab.complaints)
                return Visit(shown, complaints, tab.blocked_cookies, await tab.cookies(), tab.sockets)

    @asynccontextmanager
    async def _served(self, script: str) -> AsyncIterator[str]:
        async def page(_: web.Request) -> web.Response:
            text = f"<!doctype html><title>Shop</title><h1>Shop</h1>\n{script}\n"
            return web.Response(text=text, content_type="text/html")

        app = web.Application()
        app.router.add_get("/", page)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.files / "certificate", self.files / "key")
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
            yield f"127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


async def say(tab: Tab, text: str) -> str:
    """Open the widget and say something. Returns the answer, or the complaint that the widget shows."""

    def is_meant(shown: str | None) -> bool:
        # The widget also says so for a moment before it knows that the app has no login.
        return bool(shown) and (shown != NO_TOKEN or any("401" in complaint for complaint in tab.complaints))

    for element, action in (
        ("chainlit-copilot-button", "click()"),
        ("chat-input", "focus()"),
        ("chat-submit:not([disabled])", "click()"),
    ):
        found = f"{ROOT}?.querySelector('#{element}')"
        if (shown := await tab.wait_for(f"{FAILED} ?? {found}?.id", is_meant)) not in element:
            return str(shown)
        await tab.evaluate(f"{found}.{action}")
        if action == "focus()":
            await tab.type(text)
    return str(await tab.wait_for(f"{FAILED} ?? {TEXT}.match(/echo: .*/)?.[0]", is_meant))


@pytest.fixture
def pages(space: Space, tmp_path: Path) -> Iterator[Pages]:
    """Pages for the app of the test, whose certificate is in the Secret ``edge``."""
    pair = certificates.issue(certificates.authority(), space.host)
    (tmp_path / "certificate").write_text(pair.certificate)
    (tmp_path / "key").write_text(pair.key)
    space.create(pair.secret("edge"))
    with forwarded("traefik", "service/traefik", "443") as edge:  # the node does not offer this port
        yield Pages(space.host, edge, tmp_path)


def install(space: Space, *origins: str, **values: object) -> str:
    """Install or upgrade the app, and return the script for a page that the notes have, if they have one."""
    route = {"controller": "traefik", "className": "traefik", "host": space.host, "path": "/chat"}
    tls = [{"secretName": "edge", "hosts": [space.host]}]
    notes = put(
        space,
        space.cluster.demo_image,
        **{"auth": {}, "app": {}, "route": {**route, "tls": tls}, "embed": {"origins": list(origins)}, **values},
    )
    space.kubectl("rollout", "status", "deployment/chat", "--timeout=150s")
    eventually(lambda: pods_left(space), timeout=START)
    eventually(lambda: serves_script(space), timeout=START)
    return "\n".join(re.findall(r"<script.*</script>", notes))


def pods_left(space: Space) -> bool:
    """Whether all pods are those of the newest template."""
    return bool(len(space.objects("Pod")) == space.get("Deployment")["spec"]["replicas"])


def serves_script(space: Space) -> bool:
    """Whether the edge passes on the script of the copilot. An edge that refuses or keeps silent does not yet."""
    request = urllib.request.Request(f"{space.cluster.edge}/chat/copilot/index.js", headers={"Host": space.host})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def with_token(script: str, name: str) -> str:
    """Return the script of a page for a user, whose token the server of the page has signed."""
    parts = ({"alg": "HS256", "typ": "JWT"}, {"identifier": name, "exp": int(time.time()) + 300})
    signed = ".".join(coded(json.dumps(part).encode()) for part in parts)
    token = f"{signed}.{coded(hmac.digest(SECRET.encode(), signed.encode(), hashlib.sha256))}"
    return script.replace(" });", f', accessToken: "{token}" }});')


def coded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def test_copilot_answers_on_pages_of_the_listed_sites_only(space: Space, pages: Pages) -> None:
    """With two pods: the browser sends the cookie that keeps it at one of them."""
    script = install(space, f"https://{SHOP}", replicaCount=2)

    visit = pages.visit(SHOP, script)
    assert (visit.shown, visit.sockets) == ("echo: hello", 1), visit
    assert {cookie["sameSite"] for cookie in visit.cookies.values()} == {"None"}
    # A port-forward comes from loopback: then Chainlit's cookie of the session is Lax, which no app misses.
    assert visit.blocked_cookies.keys() <= {"X-Chainlit-Session-id"}

    visit = pages.visit(STRANGER, script)
    assert visit.shown == "Failed to fetch", visit
    assert f"from origin 'https://{STRANGER}' has been blocked by CORS policy" in visit.complaints

    space.kubectl("scale", "deployment/chat", "--replicas=1")
    eventually(lambda: pods_left(space), timeout=START)
    assert pages.visit(SHOP, script, third_party_cookies=False).shown == "echo: hello"


def test_copilot_of_an_app_with_a_login(space: Space, pages: Pages) -> None:
    """The page's server signs a token for its user. A browser that keeps no cookies of other sites loses the login."""
    sibling, login = f"www.{space.host}", f"{space.name}_chat_access_token"
    values: Object = {"auth": {"secret": SECRET}, "app": {"files": {"app.py": LOGIN}}}
    plain = install(space, f"https://{SHOP}", f"https://{sibling}", **values)
    script = with_token(plain, "ann")

    assert pages.visit(SHOP, script).shown == "echo: hello of ann"
    assert pages.visit(SHOP, plain).shown == "No authentication token"

    visit = pages.visit(SHOP, script, third_party_cookies=False)
    assert visit.shown == "Could not reach the server", visit
    assert visit.blocked_cookies[login] == ["UserPreferences"]
    assert pages.visit(sibling, script, third_party_cookies=False).shown == "echo: hello of ann"

    install(space, **values)
    visit = pages.visit(SHOP, script)
    assert visit.shown == "Could not reach the server", visit
    assert visit.blocked_cookies[login] == ["SchemefulSameSiteLax"]
