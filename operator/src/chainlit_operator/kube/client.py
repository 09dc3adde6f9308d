"""The verbs of the Kubernetes API: list, watch, apply, patch, delete, replace a status, create an Event.

Bodies are plain dicts and raw bytes, so that objects can be decoded into pruned records. Every failure is an
:class:`ApiError`.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
import msgspec

from chainlit_operator.kube import codec, errors
from chainlit_operator.kube.config import ClusterConfig, CredentialsError
from chainlit_operator.kube.errors import SILENT, ApiError, one_line
from chainlit_operator.object_ref import Ref

Resources = Mapping[str, tuple[str, str]]
"""kind → (API path of group and version, plural)"""

Body = Mapping[str, Any] | list[dict[str, Any]]

T = TypeVar("T")

_JSON = "application/json"
_ONLY_METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
_CONNECT_SECONDS = 10.0
_REQUEST_SECONDS = 60.0
#: Less than client-go's 500: at the start all kinds are listed at once, and their pages are the peak of memory.
PAGE_SIZE = 200
_LIMITS = aiohttp.ClientTimeout(_REQUEST_SECONDS, sock_connect=_CONNECT_SECONDS)
#: A change after a quiet minute still finds an open connection. The API server closes idle ones after 90 s.
_KEEPALIVE_SECONDS = 60.0
#: By default the API server looks for unknown fields to warn about, which is 3 % of its cost of a write. Tests let it
#: refuse unknown fields in the same bodies.
_UNCHECKED = {"fieldValidation": "Ignore"}
#: Lists have megabytes. With a small buffer, aiohttp pauses and resumes the reading of the socket all the time.
_READ_BUFFER = 1 << 18


class Api:
    """A connection to one API server. Use it as an async context manager."""

    def __init__(self, config: ClusterConfig, resources: Resources, user_agent: str) -> None:
        """``resources`` has every kind that requests name."""
        self.config, self._resources = config, resources
        # Within a cluster, compression costs both sides more than it saves.
        self._headers = {"User-Agent": user_agent, "Accept-Encoding": "identity"}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Api:
        self._session = aiohttp.ClientSession(
            # No limit: each kind in each namespace has a watch, and watches must not keep writes and the Lease waiting.
            connector=aiohttp.TCPConnector(ssl=self.config.tls, limit=0, keepalive_timeout=_KEEPALIVE_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=_READ_BUFFER,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    def new_session(self, middleware: aiohttp.ClientMiddlewareType) -> aiohttp.ClientSession:
        """Return a session to the same API server. The caller closes it."""
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self.config.tls, limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=self._headers,
            middlewares=(middleware,),
            proxy=self.config.proxy,
        )

    async def credentials(self) -> dict[str, str]:
        """Return the authorization header, if any; raises ApiError."""
        try:
            return await self.config.credentials()
        except CredentialsError as error:
            raise ApiError(0, "CredentialsFailed", str(error)) from error

    def path_of(self, kind: str, namespace: str | None, name: str | None = None, subresource: str | None = None) -> str:
        """Return the API path of a kind's collection or of one object; ``namespace`` None means all of them."""
        base, plural = self._resources[kind]
        parts = [base]
        if namespace is not None:
            parts += ["namespaces", quote(namespace, safe="")]
        parts.append(plural)
        if name is not None:
            parts.append(quote(name, safe=""))
        if subresource is not None:
            parts.append(subresource)
        return "/".join(parts)

    def version_of(self, kind: str) -> str:
        """Return the API version of a kind, as objects name it."""
        return self._resources[kind][0].partition("/apis/")[2] or "v1"

    # ------------------------------------------------------------------------------------------------- requests

    async def served_versions(self) -> frozenset[str]:
        """Return the API versions that the cluster serves, such as ``networking.k8s.io/v1``; raises ApiError."""
        async with self._request("GET", "/apis") as response:
            body = await response.read()
        try:
            groups = codec.decode_groups(body).groups
        except msgspec.MsgspecError as error:
            raise ApiError(0, "BadResponse", f"the list of API groups cannot be read: {error}") from error
        return frozenset(version.group_version for group in groups for version in group.versions)

    async def list_page(
        self,
        kind: str,
        namespace: str | None,
        limit: int,
        token: str = "",
        *,
        only_metadata: bool = False,
        label: str = "",
    ) -> codec.Page:
        """Return one page of a list; ``token`` continues an earlier one. Raises ApiError.

        ``label`` limits the list to objects with that label, written ``name=value``.
        """
        query = {"limit": str(limit)} | ({"continue": token} if token else {})
        query |= {"labelSelector": label} if label else {}
        accept = _ONLY_METADATA if only_metadata else _JSON
        async with self._request("GET", self.path_of(kind, namespace), query, accept=accept) as response:
            body = await response.read()
        try:
            return codec.decode_page(body)
        except msgspec.DecodeError as error:
            raise ApiError(0, "BadResponse", f"the list of {kind} cannot be read: {error}") from error

    async def watch(
        self, kind: str, namespace: str | None, resource_version: str, silence_seconds: float
    ) -> AsyncGenerator[list[codec.Event], None]:
        """Yield the watch events after ``resource_version``, in batches as they arrive.

        The server sends bookmarks, so ``silence_seconds`` without a byte mean a dead connection. Ends when the server
        ends the stream. Raises ApiError for an error status, a silent or broken connection, or an odd line.
        """
        query = {"watch": "1", "resourceVersion": resource_version, "allowWatchBookmarks": "true"}
        limits = aiohttp.ClientTimeout(sock_connect=_CONNECT_SECONDS, sock_read=silence_seconds)
        async with self._request("GET", self.path_of(kind, namespace), query, limits=limits) as response:
            rest = b""
            async for chunk in response.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                try:
                    events = [codec.decode_event(line) for line in lines if line]
                except msgspec.DecodeError as error:
                    raise ApiError(0, "BadStream", f"the watch of {kind} cannot be read: {error}") from error
                if events:
                    yield events

    async def apply(self, ref: Ref, body: Mapping[str, Any], manager: str, *, force: bool = True) -> bytes:
        """Server-side apply ``body``; returns the object. Raises ApiError.

        Without ``force``, it fails (409) if another manager owns a field with another value.
        """
        query = {"fieldManager": manager, "force": str(force).lower(), **_UNCHECKED}
        path = self.path_of(ref.kind, ref.namespace, ref.name)
        return await self._send("PATCH", path, query, body, "application/apply-patch+yaml")

    async def patch_json(self, ref: Ref, operations: list[dict[str, Any]], manager: str) -> bytes:
        """JSON-patch an object; returns it. Raises ApiError, with code 422 where a ``test`` fails."""
        path = self.path_of(ref.kind, ref.namespace, ref.name)
        return await self._send("PATCH", path, {"fieldManager": manager}, operations, "application/json-patch+json")

    async def patch(self, ref: Ref, body: dict[str, Any], manager: str) -> bytes:
        """Merge-patch an object; returns it. Raises ApiError."""
        path = self.path_of(ref.kind, ref.namespace, ref.name)
        return await self._send("PATCH", path, {"fieldManager": manager}, body, "application/merge-patch+json")

    async def delete(self, ref: Ref, uid: str) -> None:
        """Delete an object, and the objects that it owns later. Raises ApiError, with code 409 for another uid."""
        body = {"preconditions": {"uid": uid}, "propagationPolicy": "Background"}
        await self._send("DELETE", self.path_of(ref.kind, ref.namespace, ref.name), {}, body, _JSON)

    async def replace_status(self, body: Mapping[str, Any], ref: Ref, manager: str) -> bytes:
        """Replace the status of exactly the version that ``body`` names; returns the object.

        A merge patch costs the API server a tenth more. Raises ApiError, with code 409 for any other version.
        """
        path = self.path_of(ref.kind, ref.namespace, ref.name, "status")
        return await self._send("PUT", path, {"fieldManager": manager, **_UNCHECKED}, body, _JSON)

    async def create_event(self, namespace: str, body: dict[str, Any]) -> None:
        """Create a core/v1 Event. Raises ApiError."""
        await self._send("POST", self.path_of("Event", namespace), {}, body, _JSON)

    async def _send(self, method: str, path: str, query: Mapping[str, str], body: Body, content_type: str) -> bytes:
        async with self._request(method, path, query, body, content_type) as response:
            return await response.read()

    async def read_lease(self, ref: Ref) -> bytes:
        """Return a Lease; raises ApiError, with code 404 where there is none."""
        async with self._request("GET", self.path_of("Lease", ref.namespace, ref.name)) as response:
            return await response.read()

    async def write_lease(self, body: dict[str, Any], ref: Ref) -> bytes:
        """Replace the Lease in the version that ``body`` names, or create it if it names none.

        Returns the object; raises ApiError, with code 409 if another version is there.
        """
        is_new = "resourceVersion" not in body["metadata"]
        path = self.path_of("Lease", ref.namespace, None if is_new else ref.name)
        async with self._request("POST" if is_new else "PUT", path, None, body) as response:
            return await response.read()

    @contextlib.asynccontextmanager
    async def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Body | None = None,
        content_type: str = _JSON,
        *,
        limits: aiohttp.ClientTimeout | None = None,
        accept: str = _JSON,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._session is None:
            raise RuntimeError("an Api is used as an async context manager")
        headers = self._headers | {"Accept": accept, "Content-Type": content_type} | await self.credentials()
        try:
            async with self._session.request(
                method,
                self.config.host + path + (f"?{urlencode(query)}" if query else ""),
                headers=headers,
                data=None if body is None else msgspec.json.encode(body),
                timeout=limits or _LIMITS,
                server_hostname=self.config.server_name,
                proxy=self.config.proxy,
                proxy_headers=self.config.proxy_headers,
                allow_redirects=False,  # an API server sends none
            ) as response:
                if response.status >= 300:
                    raise errors.from_answer(response.status, await response.read())
                yield response
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            reason = SILENT if isinstance(error, aiohttp.SocketTimeoutError) else "ConnectionFailed"
            raise ApiError(0, reason, f"{method} {path}: {one_line(error)}") from error


def read(decode: Callable[[bytes], T], answer: bytes) -> T:
    """Decode the answer to a write; raises ApiError if it cannot be decoded.

    The write may have been carried out nevertheless; then the watch delivers it.
    """
    try:
        return decode(answer)
    except msgspec.MsgspecError as error:
        raise ApiError(0, "BadResponse", f"the answer to a write cannot be read: {error}") from error
