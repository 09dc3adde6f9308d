"""The target of a probe, as its caller describes it, and the endpoint to which the probe connects."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from yarl import URL

from chainlit_operator.domain import chainlit
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.verification.prober.address import IPAddress
from chainlit_operator.verification.prober.failures import Failure
from chainlit_operator.verification.prober.outcome import shown

_MAX_PREFIX_CHARS = 1024
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")
_AUTHORITY = re.compile(r"(?P<host>[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address to connect to, and the names for it in the requests.

    ``host`` is the Host header; ``server_name`` is the name that the certificate must have.
    """

    scheme: str
    address: IPAddress
    port: int
    host: str
    server_name: str

    @property
    def origin(self) -> URL:
        """Scheme, host and port as a browser has them."""
        return URL(f"{self.scheme}://{self.host}")

    def url(self, path: str, query: str = "") -> URL:
        """Return a URL with the address in place of the name, so that aiohttp has nothing left to look up."""
        literal = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        question = f"?{query}" if query else ""
        return URL(f"{self.scheme}://{literal}:{self.port}{path}{question}", encoded=True)


@dataclass(frozen=True, slots=True)
class Target:
    """Where an app should answer.

    ``base_url`` is ``scheme://host[:port]`` with http or https and no path. ``root_path`` is the prefix that is served
    there: empty, or like ``/chat``. ``page_prefix`` is Chainlit's parent root path: a prefix in the page's HTML that
    requests do not have. With ``/team`` the script ``/team/chat/assets/x.js`` is requested at ``/chat/assets/x.js``.
    ``host_header`` replaces the host of ``base_url`` in the Host header and, with https, in server name indication and
    certificate verification. ``at_edge`` means that the requests are those of a browser, not of another pod.
    """

    base_url: str
    root_path: str
    page_prefix: str = ""
    host_header: str | None = None
    at_edge: bool = False

    @property
    def page_path(self) -> str:
        """The path of the page."""
        return f"{self.root_path}/"

    @property
    def socket_path(self) -> str:
        """The path of the Socket.IO server."""
        return f"{self.root_path}/{chainlit.SOCKET}/"

    @property
    def is_https(self) -> bool:
        """Whether the requests go by https."""
        return self.base_url.startswith("https:")

    def check(self) -> None:
        """Raise Failure if the target does not have the described form."""
        found = ""
        if not _is_base_url(self.base_url):
            found = "The base URL is not scheme://host[:port] with http or https"
        for prefix in (self.root_path, self.page_prefix):
            if not _is_prefix(prefix):
                found = f"Path {shown(ascii(prefix))} is not empty or /segments of letters, digits and . _ ~ -"
        if self.host_header is not None and not _AUTHORITY.fullmatch(self.host_header):
            found = f"Host header {shown(ascii(self.host_header))} is not host[:port]"
        if found:
            raise Failure(Reason.TARGET_INVALID, found, "Correct the host or the path of the route")

    @property
    def host_and_port(self) -> tuple[str, int]:
        """The host to look up, and the port to connect to; the target must have passed ``check``."""
        base = URL(self.base_url)
        return base.raw_host or "", base.port or 0

    def endpoint(self, address: IPAddress) -> Endpoint:
        """Return the endpoint for an address of the host; the target must have passed ``check``."""
        _, port = self.host_and_port
        return Endpoint(URL(self.base_url).scheme, address, port, self._authority, self.server_name)

    @property
    def server_name(self) -> str:
        """The host that the Host header and the certificate name, without brackets and port."""
        header = _AUTHORITY.fullmatch(self.host_header or "")
        return header["host"].strip("[]") if header else URL(self.base_url).raw_host or ""

    @property
    def _authority(self) -> str:
        return self.host_header or URL(self.base_url).raw_authority

    def url(self, path: str) -> str:
        """Return a URL for messages, as a browser has it; the target must have passed ``check``."""
        return shown(f"{URL(self.base_url).scheme}://{self._authority}{path}")

    def by_https(self) -> Target:
        """Return the target with https and its usual port; an address that was given beside the name stays."""
        return self._by("https")

    def by_http(self) -> Target:
        """Return the target with http and its usual port; an address that was given beside the name stays."""
        return self._by("http")

    def _by(self, scheme: str) -> Target:
        named = URL.build(scheme=scheme, host=self.server_name)
        if self.host_header is None:
            return replace(self, base_url=str(named))
        connected = URL.build(scheme=scheme, host=URL(self.base_url).host or "")
        return replace(self, base_url=str(connected), host_header=named.raw_authority)


def _is_prefix(text: str) -> bool:
    is_clean = len(text) <= _MAX_PREFIX_CHARS and _PREFIX.fullmatch(text) is not None
    return is_clean and not any(part in (".", "..") for part in text.split("/"))


def _is_base_url(text: str) -> bool:
    try:
        url = URL(text)
        has_host = url.scheme in ("http", "https") and bool(url.raw_host) and bool(url.port)
    except (ValueError, TypeError):  # UnicodeError, of the IDNA encoding, is a ValueError
        return False
    if not has_host or url.raw_path_qs not in ("", "/") or any(char in text for char in "@?#\\"):
        return False
    return _AUTHORITY.fullmatch(url.raw_authority) is not None
