"""The cookies of one probe at the edge: kept as browsers keep them, but only few and small ones."""

from __future__ import annotations

from collections.abc import Sequence
from http.cookies import BaseCookie

import aiohttp
from yarl import URL

MAX_COOKIES = 16
MAX_COOKIE_BYTES = 8 * 1024
"""For all ``Set-Cookie`` headers of a probe together; most servers refuse longer request headers."""
_NO_URL = URL()


class ProbeCookies(aiohttp.CookieJar):
    """aiohttp's cookie jar for requests to a checked address that a browser would send to ``origin``.

    Path, Secure, Domain and expiry apply as in RFC 6265, with the host and scheme of the origin. Cookies beyond the
    limits are dropped.
    """

    def __init__(self, origin: URL) -> None:
        super().__init__(unsafe=True)  # the origin's host may be an address: a route without a host has no name
        self._origin = origin
        self._bytes_left = MAX_COOKIE_BYTES

    def update_cookies_from_headers(self, headers: Sequence[str], response_url: URL) -> None:
        """Store the ``Set-Cookie`` headers of a response."""
        for header in headers:
            if len(self) < MAX_COOKIES and len(header) <= self._bytes_left:
                self._bytes_left -= len(header)
                super().update_cookies_from_headers([header], self._as_in_browser(response_url))

    def filter_cookies(self, request_url: URL = _NO_URL) -> BaseCookie[str]:
        """Return the cookies for a request."""
        return super().filter_cookies(self._as_in_browser(request_url))

    def _as_in_browser(self, url: URL) -> URL:
        return self._origin.with_path(url.raw_path, encoded=True)
