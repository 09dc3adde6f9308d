"""A real browser: Chromium, driven by its DevTools protocol. It may show what no header proves."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

from tests.cluster import apt
from tests.objects import Object

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
#: Without these it asks its maker's servers at each start.
OPTIONS = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--remote-debugging-port=0",
)
#: Seconds for the browser to start, and for it to answer a question, on a busy machine.
START, ANSWER = 60.0, 60.0


class BrowserError(AssertionError):
    """The browser refuses a command, or a script of the page fails."""


class Tab:
    """A tab of the browser. All methods raise BrowserError."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Object]] = {}
        #: What the browser's console says, such as requests that it blocks.
        self.complaints: list[str] = []
        #: Names of cookies that it does not keep, with the reasons.
        self.blocked_cookies: dict[str, list[str]] = {}
        #: How many WebSockets were opened.
        self.sockets = 0

    async def open(self, url: str) -> None:
        """Open a page. Its scripts may not have run yet."""
        answer = await self.command("Page.navigate", url=url)
        if answer.get("errorText"):
            raise BrowserError(f"{url}: {answer['errorText']}")

    async def evaluate(self, expression: str) -> Any:
        """Return the value of an expression in the page; a promise is awaited."""
        answer = await self.command("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if details := answer.get("exceptionDetails"):
            raise BrowserError(str(details.get("exception", {}).get("description", details["text"])))
        return answer["result"].get("value")

    async def wait_for(self, expression: str, holds: Callable[[Any], object] = bool) -> Any:
        """Wait until ``holds`` says yes of an expression's value, and return the value."""
        deadline = asyncio.get_running_loop().time() + ANSWER
        while not holds(value := await self.evaluate(expression)):
            if asyncio.get_running_loop().time() > deadline:
                raise BrowserError(f"not within {ANSWER:g} s: {expression}; the console says: {self.complaints}")
            await asyncio.sleep(0.1)
        return value

    async def type(self, text: str) -> None:
        """Type a text where the cursor is."""
        await self.command("Input.insertText", text=text)

    async def cookies(self) -> dict[str, Object]:
        """Return all cookies that the browser keeps, by name."""
        return {found["name"]: found for found in (await self.command("Storage.getCookies"))["cookies"]}

    async def command(self, method: str, **parameters: Any) -> Object:
        """Give a command of the protocol and return its result."""
        number = next(self._numbers)
        answered = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(ANSWER):
            answer = await answered
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']['message']}")
        return dict(answer["result"])

    async def listen(self) -> None:
        """Take answers and events until the browser ends."""
        async for message in self._socket:
            heard = message.json()
            if answered := self._answers.pop(heard.get("id", 0), None):
                answered.set_result(heard)
            else:
                self._note(heard.get("method", ""), heard.get("params", {}))

    def _note(self, event: str, about: Object) -> None:
        if event == "Log.entryAdded":
            self.complaints.append(about["entry"]["text"])
        elif event == "Network.responseReceivedExtraInfo":
            for cookie in about["blockedCookies"]:
                self.blocked_cookies[cookie["cookieLine"].partition("=")[0]] = cookie["blockedReasons"]
        elif event == "Network.webSocketHandshakeResponseReceived" and about["response"]["status"] == 101:
            self.sockets += 1


@asynccontextmanager
async def tab(hosts: Mapping[str, str], *, third_party_cookies: bool = True) -> AsyncIterator[Tab]:
    """Start a browser that keeps nothing, and have a tab of it.

    ``hosts`` has the address, with its port, that stands behind a host and port, such as ``www.example:443``. No other
    name is looked up. The certificates of these addresses are the test's own, so the browser takes any.
    ``third_party_cookies`` False is a setting of users, and of some browsers from the start.
    """
    with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as name:
        rules = ", ".join([*(f"MAP {place} {address}" for place, address in hosts.items()), "MAP * ~NOTFOUND"])
        options = [f"--host-resolver-rules={rules}", "--ignore-certificate-errors", f"--user-data-dir={name}"]
        if os.geteuid() == 0:
            options.append("--no-sandbox")  # which root cannot have
        _set_preferences(Path(name), third_party_cookies)
        command = [program(), *OPTIONS, *options, "about:blank"]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL, stderr=pipe)
        try:
            async with aiohttp.ClientSession() as http, _connected(http, await _devtools(process)) as made:
                yield made
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.communicate()


def _set_preferences(profile: Path, third_party_cookies: bool) -> None:
    file = profile / "Default/Preferences"
    file.parent.mkdir()
    file.write_text(json.dumps({"profile": {"cookie_controls_mode": 0 if third_party_cookies else 1}}))


@asynccontextmanager
async def _connected(http: aiohttp.ClientSession, devtools: str) -> AsyncIterator[Tab]:
    async with http.get(f"{devtools}/json/list") as response:
        (page,) = [found for found in await response.json() if found["type"] == "page"]
    async with http.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
        made = Tab(socket)
        listening = asyncio.create_task(made.listen())
        try:
            for domain in ("Log", "Network"):
                await made.command(f"{domain}.enable")
            yield made
        finally:
            listening.cancel()


def program() -> str:
    """Return Chromium's program, installed where that may be. Raises ClusterError."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        apt.require({"chromium": "chromium"}, "The test of a page in a browser")
        found = "chromium"
    return found


async def _devtools(process: asyncio.subprocess.Process) -> str:
    """Return where a browser that starts takes commands."""
    assert process.stderr is not None
    said = ""
    async with asyncio.timeout(START):
        while line := (await process.stderr.readline()).decode(errors="replace"):
            if found := re.search(r"DevTools listening on ws://(\S+?)/", line):
                return f"http://{found[1]}"
            said += line
    raise BrowserError(f"the browser ended: {said}")
