"""Whether an app answers throughout: a client that asks for a session again and again, as a browser does first."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

#: What begins the answer to a Socket.IO handshake; the page, which unknown paths answer too, begins otherwise.
SESSION = b'0{"sid"'
EVERY = 0.1
#: Longer than an edge waits for a pod that is gone, as far as a user would.
PATIENCE = 10.0


class Answer(NamedTuple):
    """What came of one question."""

    second: float  # since the start, when the question was put
    trouble: str  # empty for a session


class Record:
    """All answers so far, in the order in which they came."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []

    @property
    def sessions(self) -> int:
        """How many questions were answered by a session."""
        return sum(not answer.trouble for answer in self.answers)

    def unavailable(self) -> list[str]:
        """Return what was heard in each second in which questions failed and none was answered by a session."""
        seconds: dict[int, list[str]] = {}
        for answer in self.answers:
            seconds.setdefault(int(answer.second), []).append(answer.trouble)
        return [f"second {second}: {set(heard)}" for second, heard in sorted(seconds.items()) if all(heard)]

    def __str__(self) -> str:
        failed = [answer for answer in self.answers if answer.trouble]
        last = max(answer.second for answer in self.answers)
        return f"{len(self.answers)} questions in {last:.0f} s, {len(failed)} without a session"


@contextmanager
def watched(url: str, host: str) -> Iterator[Record]:
    """Ask the app at a URL for sessions until the block ends; ``host`` is the Host header."""
    record, stop, start = Record(), threading.Event(), time.monotonic()

    def ask() -> None:
        second = time.monotonic() - start
        record.answers.append(Answer(second, _ask(url, host)))

    def ask_on() -> None:
        # Each in a thread of its own: a question that hangs keeps no other from being asked.
        with ThreadPoolExecutor(int(PATIENCE / EVERY)) as askers:
            while not stop.wait(EVERY):
                askers.submit(ask)

    asking = threading.Thread(target=ask_on, daemon=True)
    asking.start()
    try:
        yield record
    finally:
        stop.set()
        asking.join()


def _ask(url: str, host: str) -> str:
    """Return why there was no session; nothing when there was one."""
    request = Request(f"{url}/ws/socket.io/?EIO=4&transport=polling", headers={"Host": host})
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=PATIENCE) as response:
            body = response.read(len(SESSION))
    except HTTPError as error:
        return f"status {error.code}"
    except OSError as error:
        return type(error).__name__
    return "" if body == SESSION else "no session but something else"
