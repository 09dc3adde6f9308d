"""The router of OpenShift without OpenShift: HAProxy, a configuration as the router writes it, and pods that echo.

The rules are those of github.com/openshift/router: ``GenerateRouteRegexp`` (util.go) for the maps from host and path to
a Route, ``SortMapPaths`` (map_paths.go) for their order, ``GenerateMapEntry`` (map_entry.go) for the map of http, that
of https and that of redirects, and ``haproxy-config.template`` for the backend of a Route. Nothing here is the
operator's. There is no TLS: a second port stands for the one of https, where the router has ended it.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from tests.cluster import apt
from tests.objects import Object

#: Seconds for HAProxy to listen, and for one answer.
START, ANSWER = 20.0, 20.0
_ENCRYPTED = ("edge", "reencrypt")
_SECURE, _PLAIN = "secure", "public"


@dataclass(frozen=True)
class Reply:
    """An answer: status and headers, and of a pod also its name, its Service and the path that arrived."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    service: str = ""
    pod: str = ""
    path: str = ""


class Router:
    """A running HAProxy for some Routes, with pods behind their Services.

    ``pods`` has the names of the pods of each Service. It is a context manager. It ends only what it has started.
    """

    def __init__(self, routes: Sequence[Object], pods: Mapping[str, Sequence[str]], directory: Path) -> None:
        self._routes, self._pods, self._directory = routes, pods, directory
        self._stack = ExitStack()
        self._ports: dict[str, int] = {}

    def __enter__(self) -> Router:
        """Start pods and router, and wait until it listens."""
        with self._stack:
            servers = {
                service: [(name, self._stack.enter_context(_pod(service, name))) for name in names]
                for service, names in self._pods.items()
            }
            sockets = {name: self._stack.enter_context(_listening()) for name in (_PLAIN, _SECURE)}
            self._ports = {name: found.getsockname()[1] for name, found in sockets.items()}
            files = {name: found.fileno() for name, found in sockets.items()}
            for name, text in written(self._routes, servers, files, self._directory).items():
                (self._directory / name).write_text(text)
            self._stack.enter_context(_running(self._directory / "haproxy.config", [*files.values()]))
            self._stack = self._stack.pop_all()
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """End the router and the pods."""
        self._stack.close()

    def ask(self, url: str, method: str = "GET", cookie: str = "") -> Reply:
        """Send a request as a browser does, with the path as it is spelt. The scheme chooses the port."""
        scheme, _, rest = url.partition("://")
        host, slash, path = rest.partition("/")
        lines = [f"{method} {slash}{path} HTTP/1.1", f"Host: {host}", "Connection: close", "Content-Length: 0"]
        text = "\r\n".join([*lines, *([f"Cookie: {cookie}"] if cookie else []), "", ""])
        port = self._ports[_SECURE if scheme == "https" else _PLAIN]
        with socket.create_connection(("127.0.0.1", port), timeout=ANSWER) as connection:
            connection.sendall(text.encode())
            return _reply(b"".join(iter(lambda: connection.recv(65536), b"")))


def _reply(answer: bytes) -> Reply:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    arrived = json.loads(body) if "x-pod" in headers else {}
    return Reply(int(first.split()[1]), headers, **arrived)


# --------------------------------------------------------------------------------------------------- the configuration

Servers = Mapping[str, Sequence[tuple[str, int]]]
"""By Service, name and port of each pod."""


def written(routes: Sequence[Object], servers: Servers, files: Mapping[str, int], directory: Path) -> dict[str, str]:
    """Return the configuration and its maps, by the names of their files."""
    maps = {name: "\n".join(_map(routes, name)) + "\n" for name in ("http", "redirect", "edge")}
    lines = [*_general(), *_frontends(files, directory)]
    for route in routes:
        lines += _backend(route, servers)
    return {f"{name}.map": text for name, text in maps.items()} | {"haproxy.config": "\n".join(lines) + "\n"}


def _general() -> Iterator[str]:
    yield from ("global", "  maxconn 200", "defaults", "  mode http", "  timeout connect 5s", "  timeout client 30s")
    yield from ("  timeout server 30s", "  timeout http-request 10s", "  timeout tunnel 1h")


def _frontends(files: Mapping[str, int], directory: Path) -> Iterator[str]:
    host = "  http-request set-header Host %[req.hdr(Host),lower]"
    yield from (f"frontend {_PLAIN}", f"  bind fd@{files[_PLAIN]}", host)
    yield f"  acl secure_redirect base,map_reg_int({directory}/redirect.map) -m bool"
    location = "https://%[req.hdr(host),regsub(:[0-9]+$,,)]%[url]"
    yield f"  http-request redirect location {location} code 302 if secure_redirect"
    yield from (f"  use_backend %[base,map_reg({directory}/http.map)]", "  default_backend openshift_default")
    yield from (f"frontend {_SECURE}", f"  bind fd@{files[_SECURE]}", host)
    yield from (f"  use_backend %[base,map_reg({directory}/edge.map)]", "  default_backend openshift_default")
    yield from ("backend openshift_default", "  http-request deny deny_status 404")


def _map(routes: Iterable[Object], name: str) -> list[str]:
    lines = [f"{_expression(route)} {value}" for route in routes if (value := _value(route, name))]
    # All in reverse order, and wildcards after all others.
    return sorted(sorted(lines, reverse=True), key=lambda line: line.startswith(r"^[^\.]*\."))


def _value(route: Object, name: str) -> str:
    """The value of a Route in a map; empty if it is not in the map."""
    tls = _tls(route)
    policy, is_encrypted = tls.get("insecureEdgeTerminationPolicy"), tls.get("termination") in _ENCRYPTED
    if name == "redirect":
        return str(int(policy == "Redirect"))
    if name == "edge":
        return _name(route) if is_encrypted else ""
    return _name(route) if not tls.get("termination") or (is_encrypted and policy == "Allow") else ""


def _tls(route: Object) -> Object:
    found: Object = route["spec"].get("tls", {})
    return found


def _name(route: Object) -> str:
    return f"be:{route['metadata'].get('namespace', 'shop')}:{route['metadata']['name']}"


def _expression(route: Object) -> str:
    host, path = _quoted(route["spec"]["host"]), route["spec"].get("path", "")
    if route["spec"].get("wildcardPolicy") == "Subdomain":
        host = r"[^\.]*" + _quoted("." + route["spec"]["host"].partition(".")[2])
    rest = "(.*)?" if path.rstrip("/") and path.endswith("/") else "(/.*)?"
    return rf"^{host}\.?(:[0-9]+)?{_quoted(path) if path.rstrip('/') else ''}{rest}$"


def _quoted(text: str) -> str:
    """A text as Go's ``regexp.QuoteMeta`` quotes it."""
    return re.sub(r"[\\.+*?()|\[\]{}^$]", r"\\\g<0>", text)


def _backend(route: Object, servers: Servers) -> Iterator[str]:
    annotations = {key.rpartition("/")[2]: value for key, value in route["metadata"].get("annotations", {}).items()
                   if key.startswith("haproxy.router.openshift.io/")}  # fmt: skip
    tls, path, target = _tls(route), route["spec"].get("path", ""), annotations.get("rewrite-target", "")
    backends = [route["spec"]["to"], *route["spec"].get("alternateBackends", ())]
    is_several = sum(found.get("weight", 1) > 0 for found in backends) > 1
    yield f"backend {_name(route)}"
    yield f"  balance {annotations.get('balance') or ('roundrobin' if is_several else 'random')}"
    if re.fullmatch(r"/.*", target):
        slash = "/?" if target == "/" else ""
        yield f"  http-request replace-path '^{path}{slash}(.*)$' '{_replacement(target)}'"
    if annotations.get("disable_cookies") != "true":
        is_secure = tls.get("termination") in _ENCRYPTED and tls.get("insecureEdgeTerminationPolicy") != "Allow"
        attributes = " secure attr SameSite=None" if is_secure else ""
        yield f"  cookie {_name(route).replace(':', '-')} insert indirect nocache httponly{attributes}"
    for backend in backends:
        for name, port in servers.get(backend["name"], ()):
            yield f"  server {name} 127.0.0.1:{port} cookie {name}-value weight {backend.get('weight', 1)}"


def _replacement(target: str) -> str:
    """A target without comment or quotes; what comes after a ``#`` counts as a comment, and then no rest is kept."""
    kept, mark, _ = target.partition("#")
    return kept if mark else rf"{kept}\1"


# -------------------------------------------------------------------------------------------------------- the processes


@contextmanager
def _running(config: Path, files: Sequence[int]) -> Iterator[None]:
    """HAProxy in the foreground, which listens at files that it inherits. Ends that process, and no other one."""
    apt.require({"haproxy": "haproxy"}, "The test of OpenShift's Routes")
    program = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    assert program is not None
    with (
        config.with_suffix(".log").open("w+") as log,
        subprocess.Popen([program, "-db", "-f", str(config)], pass_fds=files, stdout=log, stderr=log) as process,
    ):
        try:
            time.sleep(0.2)
            assert process.poll() is None, config.with_suffix(".log").read_text()
            yield
            assert process.poll() is None, config.with_suffix(".log").read_text()
        finally:
            process.terminate()
            process.wait(START)


@contextmanager
def _listening() -> Iterator[socket.socket]:
    """A socket that listens on loopback: connections wait there until HAProxy takes them."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as found:
        yield found


@contextmanager
def _pod(service: str, name: str) -> Iterator[int]:
    """A server on loopback that answers with what arrived; yields its port."""

    class Echo(socketserver.StreamRequestHandler):
        """Answers every request, and closes the connection."""

        def handle(self) -> None:
            """Read the head of a request without a body."""
            words = self.rfile.readline().decode().split()
            while self.rfile.readline().strip():
                pass
            body = json.dumps({"service": service, "pod": name, "path": words[1]})
            head = f"HTTP/1.1 200 OK\r\nX-Pod: {name}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
            self.wfile.write((head + body).encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
