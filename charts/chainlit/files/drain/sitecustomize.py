"""Lets a pod of a Chainlit app end without cutting answers.

GET /drain on CHAINLIT_DRAIN_PORT answers when the app may end. GET /status tells what a drain would wait for.

The folder of this file is on PYTHONPATH, so each Python of the container reads it at its start. Where the variable is
set and Chainlit's server is imported, the file listens on the port. Otherwise, and after any fault of its own, the app
runs as it would without the file. Chainlit keeps its sessions in the process and has no hook for their end, so the file
reads chainlit.session, socketio and engineio. It looks first whether they have what it needs.

The modes of a drain:

  HandOver  The app has login, data layer and on_chat_resume: another pod can resume a conversation. Readiness probes
            get 503, so that no cookie leads here. Then each session without a running answer is closed as if the
            connection was lost: the browser reconnects by itself.
  Keep      The app serves its sessions until no browser is connected.
  Answers   The app serves its sessions until no answer is running: for an app that has no other pod meanwhile.

Variables, all beginning with CHAINLIT_DRAIN_:

  PORT               of the drain; without it, the file does nothing
  MODE               Auto (HandOver where it is possible, else Keep), Keep or Answers
  LIMIT_SECONDS      of a drain (600)
  SETTLE_SECONDS     until the edge has learned that the pod is ending (5)
  READINESS_SECONDS  until the kubelet has learned that the pod is not ready (20)
  RECONNECT_SECONDS  until a browser that has lost its connection is back (15)
"""

import os
import sys

STEP = 0.1  # seconds between two looks at the sessions
PERSIST = 10.0  # seconds for the data layer to write the state of a session, and for a socket to close
FORGET = 60.0  # seconds after a drain, in which SIGTERM must come
REQUEST = 10.0  # seconds for a caller to send the request, and for a status
# Coroutines that write to the data layer while no answer is running: Chainlit awaits none of them.
WRITES = frozenset(
    "_create create_element create_step delete_element delete_step flush_method_queue flush_thread_queues init_thread"
    " send_elements update_step update_thread upsert_feedback".split()
)
# Events that are over at once, or that a drain causes itself.
UNCOUNTED = frozenset(["connect", "disconnect", "clear_session", "stop"])


def number(name, default):
    try:
        return max(0.0, float(os.environ.get("CHAINLIT_DRAIN_" + name) or default))
    except ValueError:
        return float(default)


class Drain:
    """The sessions of this process, and their end. Its methods run in the event loop of the app."""

    def __init__(self, server):
        import logging

        self.log = logging.getLogger("chainlit.drain")
        self.server, self.sio = server, server.sio
        self.loop = None  # known with the first request
        self.is_ready = True
        self.is_draining = False
        self.handlers = {}  # running handlers of events, by session
        self.requests = 0  # running requests that may change a session
        self.closed = set()  # sessions whose browser was sent away
        self.task, self.callers = None, 0
        self.limit = number("LIMIT_SECONDS", 600)
        self.settle = number("SETTLE_SECONDS", 5)
        self.readiness = number("READINESS_SECONDS", 20)
        self.reconnect = number("RECONNECT_SECONDS", 15)

    # What is there

    def begin(self):
        """Remember the loop, and count the running handlers: edited messages and actions are no task of the session."""
        import asyncio

        self.loop = asyncio.get_running_loop()
        handlers = self.sio.handlers["/"]
        for event, handler in list(handlers.items()):
            if event not in UNCOUNTED and asyncio.iscoroutinefunction(handler):
                handlers[event] = self.counted(handler)

    def counted(self, handler):
        import functools

        @functools.wraps(handler)
        async def count(sid, *arguments):
            session = self.by_socket(sid)
            key = session.id if session else sid
            self.handlers[key] = self.handlers.get(key, 0) + 1
            try:
                return await handler(sid, *arguments)
            finally:
                self.handlers[key] -= 1
                if not self.handlers[key]:
                    del self.handlers[key]

        return count

    def sessions(self):
        from chainlit.session import ws_sessions_id

        return list(ws_sessions_id.values())

    def by_socket(self, sid):
        from chainlit.session import ws_sessions_sid

        return ws_sessions_sid.get(sid)

    def transport(self, session):
        """The Engine.IO socket of a session, or None if its browser is not connected."""
        manager = self.sio.manager
        if not manager.is_connected(session.socket_id, "/"):
            return None
        found = self.sio.eio.sockets.get(manager.eio_sid_from_sid(session.socket_id, "/"))
        return None if found is None or found.closing or found.closed else found

    def is_busy(self, session):
        task = session.current_task
        return bool(task is not None and not task.done() or self.handlers.get(session.id))

    async def written(self):
        """Wait for the writes that run now, and for those that they begin."""
        import asyncio

        for _ in range(3):
            tasks = [one for one in asyncio.all_tasks() if getattr(one.get_coro(), "__name__", "") in WRITES]
            if tasks:
                await asyncio.wait(tasks)

    def mode(self):
        """The mode of a drain, and the reason."""
        chosen = os.environ.get("CHAINLIT_DRAIN_MODE") or "Auto"
        if chosen != "Auto":
            return chosen, "CHAINLIT_DRAIN_MODE is " + chosen
        missing = self.missing()
        if missing:
            return "Keep", "no other pod can resume a conversation: the app has no " + ", no ".join(missing)
        return "HandOver", "another pod can resume a conversation: the app has login, data layer and on_chat_resume"

    def missing(self):
        import inspect

        from chainlit.auth import require_login
        from chainlit.config import config
        from chainlit.data import get_data_layer

        if "auth" not in inspect.signature(self.sio.handlers["/"]["connect"]).parameters:
            return ["Chainlit 2.0 or later"]  # the page of older releases does not say which thread it shows
        has = {
            "login": require_login(),
            "data layer": get_data_layer() is not None,
            "on_chat_resume": config.code.on_chat_resume is not None,
        }
        return [name for name, there in has.items() if not there]

    def status(self):
        sessions = self.sessions()
        mode, reason = self.mode()
        return {
            "mode": mode,
            "reason": reason,
            "isDraining": self.is_draining,
            "sessions": sum(1 for session in sessions if self.transport(session)),
            "answers": sum(1 for session in sessions if self.is_busy(session)),
            "limitSeconds": self.limit,
        }

    async def ask_status(self):
        return self.status()

    # The drain

    async def drain(self):
        """Wait for the end of the drain, which all callers share. It stops when the last caller is gone."""
        import asyncio

        self.callers += 1
        if self.task is None:
            self.task = asyncio.ensure_future(self.run())
        try:
            return await asyncio.shield(self.task)
        finally:
            self.callers -= 1
            if not self.callers:
                self.task.cancel()
                self.task = None

    async def run(self):
        import asyncio

        start = self.loop.time()
        self.is_draining = True
        self.closed.clear()
        try:
            found = self.status()
            self.log.info("The pod is ending: %s", found)
            wait = {"HandOver": self.hand_over, "Answers": self.answers}.get(found["mode"], self.keep)
            try:
                await asyncio.wait_for(wait(), self.limit)
            except asyncio.TimeoutError:
                self.log.warning("The limit of %g seconds has passed: %s", self.limit, self.status())
            self.is_draining = False
            found = dict(self.status(), seconds=round(self.loop.time() - start, 1))
            self.log.info("The app may end: %s", found)
            return found
        except BaseException:
            self.is_ready = True
            raise
        finally:
            self.is_draining = False
            self.loop.call_later(FORGET, self.forget)

    def forget(self):
        """Be ready again: somebody has asked for a drain, and the pod did not end."""
        self.is_ready = self.is_ready or not self.is_draining

    async def until(self, is_so):
        import asyncio

        while not is_so():
            await asyncio.sleep(STEP)

    async def answers(self):
        """Wait until no answer is running."""
        start = self.loop.time()
        await self.until(lambda: self.is_settled(start) and not any(map(self.is_busy, self.sessions())))

    async def keep(self):
        """Wait until no answer is running, no browser is connected, and none is about to come back."""
        start, seen = self.loop.time(), {}

        def is_over():
            now = self.loop.time()
            there = {session.id: session for session in self.sessions()}
            for session in there.values():
                if self.is_busy(session) or self.transport(session):
                    seen[session.id] = now
            away = any(name in there and now - last < self.reconnect for name, last in seen.items())
            return self.is_settled(start) and not away

        await self.until(is_over)

    def is_settled(self, start):
        return self.loop.time() - start >= min(self.settle, self.limit / 2) and not self.requests

    async def hand_over(self):
        import asyncio

        # The next poll of a browser without a WebSocket goes elsewhere as soon as the pod is not ready.
        is_idle = False
        while not is_idle:
            await self.until(lambda: not any(map(self.is_busy, self.polling())))
            await asyncio.gather(*map(self.persist, self.polling()))
            is_idle = not any(map(self.is_busy, self.polling()))
        self.is_ready = False
        await asyncio.sleep(min(self.readiness + self.settle, self.limit / 2))
        while True:
            left = [one for one in self.sessions() if self.is_left(one)]
            if not left:
                break
            if not self.requests:
                await asyncio.gather(*map(self.close, left))
            await asyncio.sleep(STEP)
        await asyncio.gather(*map(self.close, self.sessions()))  # the edge has sent them here once more
        try:
            await asyncio.wait_for(self.until(lambda: not any(map(self.transport, self.sessions()))), PERSIST)
        except asyncio.TimeoutError:
            self.log.warning("Some browsers are still connected: %s", self.status())

    def polling(self):
        found = [(session, self.transport(session)) for session in self.sessions()]
        return [session for session, transport in found if transport is not None and not transport.upgraded]

    def is_left(self, session):
        return self.is_busy(session) or session.id not in self.closed and self.transport(session) is not None

    async def close(self, session):
        """Send the browser away, if no answer is running and the data layer has what another pod needs."""
        if self.is_busy(session) or self.transport(session) is None:
            return
        await self.persist(session)
        found = self.transport(session)
        if found is None or found.upgrading or self.is_busy(session):
            return
        self.closed.add(session.id)
        if found.upgraded:
            found.queue.put_nowait(None)  # the writer closes the WebSocket; the browser sees a lost connection
            return
        from engineio import packet

        self.sio.eio.sockets.pop(found.sid, None)  # the next poll gets 400, as from a pod without this session
        found.queue.put_nowait(packet.Packet(packet.NOOP))  # the poll that waits ends
        await found.close(wait=False, abort=True)

    async def persist(self, session):
        """Write what Chainlit itself writes at the end of the connection, when the browser may be elsewhere already."""
        import asyncio

        from chainlit.socket import persist_user_session

        async def write():
            await self.written()
            if session.thread_id and session.has_first_interaction:
                await persist_user_session(session.thread_id, session.to_persistable())

        try:
            await asyncio.wait_for(write(), PERSIST)
        except Exception as error:
            self.log.warning("The state of a session is not written: %r", error)


class Watch:
    """Middleware around the app: it shows the loop, counts requests, and lets readiness probes fail."""

    def __init__(self, app, drain):
        self.app, self.drain = app, drain

    async def __call__(self, scope, receive, send):
        drain, changes = self.drain, False
        try:
            if drain.loop is None:
                drain.begin()
            if scope["type"] == "http":
                if not drain.is_ready and self.is_probe(scope):
                    await send({"type": "http.response.start", "status": 503, "headers": [(b"content-length", b"0")]})
                    await send({"type": "http.response.body"})
                    return
                changes = scope["method"] not in ("GET", "HEAD", "OPTIONS") and "/ws/socket.io" not in scope["path"]
        except Exception as error:
            drain.log.warning("A request is not watched: %r", error)
        drain.requests += changes
        try:
            await self.app(scope, receive, send)
        finally:
            drain.requests -= changes

    def is_probe(self, scope):
        return any(name == b"user-agent" and value.startswith(b"kube-probe/") for name, value in scope["headers"])


def handler_of(drain):
    """The requests on the port of the drain: each has a thread, and asks the loop of the app."""
    import asyncio
    import concurrent.futures
    import http.server
    import json
    import select
    import socket
    import time

    class Handler(http.server.BaseHTTPRequestHandler):
        timeout = REQUEST

        def do_GET(self):
            if self.path == "/drain":
                self.answer(self.drained())
            elif self.path == "/status":
                self.answer(self.asked(drain.ask_status(), time.monotonic() + REQUEST))
            else:
                self.answer(None, 404)

        def drained(self):
            if drain.loop is None:  # no request was ever made
                time.sleep(drain.settle)
                return {"mode": "Keep", "reason": "the app has had no request"}
            return self.asked(drain.drain(), None)

        def asked(self, coroutine, deadline):
            """The answer of the loop; None after the deadline, or when the caller is gone."""
            if drain.loop is None:
                coroutine.close()
                return None
            future = asyncio.run_coroutine_threadsafe(coroutine, drain.loop)
            while True:
                try:
                    return future.result(0.5)
                except concurrent.futures.TimeoutError:
                    if self.is_gone() or deadline is not None and time.monotonic() > deadline:
                        future.cancel()
                        return None

        def is_gone(self):
            if not select.select([self.connection], [], [], 0)[0]:
                return False
            try:
                return not self.connection.recv(1, socket.MSG_PEEK)
            except OSError:
                return True

        def answer(self, content, status=200):
            body = json.dumps(content).encode()
            self.send_response(503 if content is None and status == 200 else status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    return Handler


def listen(drain, port):
    import http.server
    import socket
    import threading

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        allow_reuse_address = True

        def server_bind(self):
            if self.address_family == socket.AF_INET6:
                self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            self.socket.bind(self.server_address)

        def handle_error(self, request, client_address):
            pass

    try:
        Server.address_family = socket.AF_INET6
        server = Server(("::", port), handler_of(drain))
    except OSError:
        Server.address_family = socket.AF_INET
        server = Server(("0.0.0.0", port), handler_of(drain))
    threading.Thread(target=server.serve_forever, name="chainlit-drain", daemon=True).start()


def install(server):
    """Watch the app of chainlit.server, and listen."""
    try:
        drain = Drain(server)
        drain.sessions(), drain.sio.manager.is_connected, drain.sio.manager.eio_sid_from_sid, drain.sio.eio.sockets
        port = int(os.environ["CHAINLIT_DRAIN_PORT"])
        if str(port) == os.environ.get("CHAINLIT_PORT"):
            raise ValueError("CHAINLIT_DRAIN_PORT is the port of the app")
        listen(drain, port)
        server.app.add_middleware(Watch, drain=drain)
    except Exception as error:
        sys.stderr.write("chainlit.drain: nothing waits for answers when the pod ends: %r\n" % (error,))


class Finder:
    """Finds chainlit.server as Python itself does, and has it watched as soon as it is imported."""

    def find_spec(self, name, path=None, target=None):
        if name != "chainlit.server":
            return None
        try:
            from importlib.util import find_spec

            sys.meta_path.remove(self)
            spec = find_spec(name)
            run = spec.loader.exec_module

            def exec_module(module):
                del spec.loader.exec_module
                run(module)
                install(module)

            spec.loader.exec_module = exec_module
            return spec
        except Exception:
            return None


def add_paths(here):
    """Add the PYTHONPATH of the image, which that of the pod hides. An init container wrote it beside this file."""
    try:
        with open(os.path.join(here, "pythonpath"), encoding="utf-8") as file:
            hidden = file.read()
    except OSError:
        return
    if hidden:
        places = [os.path.abspath(place) for place in hidden.split(os.pathsep)]
        at = next((index + 1 for index, place in enumerate(sys.path) if os.path.realpath(place) == here), 0)
        sys.path[at:at] = [place for place in places if place not in sys.path]


def read_other(here):
    """Read the sitecustomize that this file hides, if there is one."""
    from importlib.machinery import PathFinder

    spec = PathFinder.find_spec(__name__, [path for path in sys.path if os.path.realpath(path) != here])
    if spec is not None and spec.loader is not None:
        from importlib.util import module_from_spec

        module = module_from_spec(spec)
        sys.modules[__name__] = module
        spec.loader.exec_module(module)


if __name__ == "sitecustomize":
    if os.environ.get("CHAINLIT_DRAIN_PORT"):
        sys.meta_path.insert(0, Finder())
    directory = os.path.dirname(os.path.realpath(__file__))
    add_paths(directory)
    read_other(directory)
