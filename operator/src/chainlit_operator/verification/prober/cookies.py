"""The cookies of one probe through a route: kept as a browser keeps them, but few and small."""

from __future__ import annotations

from collections.abc import Sequence
from http.cookies import BaseCookie

import aiohttp
from yarl import URL

MAX_COOKIES = 16
MAX_COOKIE_BYTES = 8 * 1024
"""For all ``Set-Cookie`` headers of a probe together; most servers take no longer request headers either."""
_NOWHERE = URL()


class ProbeCookies(aiohttp.CookieJar):
    """aiohttp's jar for requests that go to a checked address but stand for ``origin`` in a browser.

    Path, Secure, Domain and expiry count as RFC 6265 has them, with the origin's host and scheme. What goes beyond the
    limits is not kept.
    """

    def __init__(self, origin: URL) -> None:
        super().__init__(unsafe=True)  # hosts may be addresses: routes without a host name are served at one
        self._origin = origin
        self._room = MAX_COOKIE_BYTES

    def update_cookies_from_headers(self, headers: Sequence[str], response_url: URL) -> None:
        """Take the ``Set-Cookie`` headers of a response."""
        for header in headers:
            if len(self) < MAX_COOKIES and len(header) <= self._room:
                self._room -= len(header)
                super().update_cookies_from_headers([header], self._in_browser(response_url))

    def filter_cookies(self, request_url: URL = _NOWHERE) -> BaseCookie[str]:
        """Return what a request carries."""
        return super().filter_cookies(self._in_browser(request_url))

    def _in_browser(self, url: URL) -> URL:
        return self._origin.with_path(url.raw_path, encoded=True)
