"""What a probe can find, and how failures of the network become reasons and sentences.

Nothing that a peer sent gets into a message, except the number of a status.
"""

from __future__ import annotations

import errno
import ssl
from dataclasses import dataclass

import aiohttp
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong

from chainlit_operator.domain.reasons import Reason

MAX_MESSAGE_CHARS = 480
_SHOWN_PATH_CHARS = 100
_ROUTING_ERRNOS = frozenset(
    {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES, errno.EPERM, errno.EADDRNOTAVAIL, errno.ETIMEDOUT}
)

# OpenSSL's X509_V_ERR_… numbers, https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/
_NOT_IN_TIME = frozenset({9, 10})
_OTHER_NAME = frozenset({62, 64})
_UNKNOWN_ISSUER = frozenset({2, 18, 19, 20, 21})


#: What to do about a failure at the edge, where it differs from what to do behind it.
_EDGE_FIXES = {
    Reason.DNS_LOOKUP_FAILED: "create the host's DNS record, also for the cluster's own DNS, or correct the host",
    Reason.CONNECTION_REFUSED: "check that the DNS record leads to the ingress controller, and that this has the port",
    Reason.CONNECTION_TIMED_OUT: "check firewalls and network policies, and that pods can reach the cluster's outer "
    "address (hairpin)",
    Reason.HOST_UNREACHABLE: "check firewalls, network policies and routing from the cluster to this address",
    Reason.CONNECTION_LOST: "check the ingress controller and proxies before it, and the port and scheme of the route",
    Reason.TLS_FAILED: "check that the ingress controller serves TLS for this host, or take tls out of the route",
    Reason.HANDSHAKE_NOT_FOUND: "check that the ingress controller has taken up the route (its class, host and path) "
    "and knows a ready pod of the Service",
    Reason.HANDSHAKE_IS_HTML: "check that no other route or login page answers for this host and path",
    Reason.HANDSHAKE_MALFORMED: "check that the DNS record leads to the ingress controller of this route",
    Reason.UPGRADE_REFUSED: "let the ingress controller, and proxies before it, pass WebSocket upgrades for this route",
    Reason.SERVER_ERROR: "check that the ingress controller reaches ready pods of the Service, and read its log",
    Reason.RESPONSE_TOO_LARGE: "check that the route leads to Chainlit, and what the ingress controller adds",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a probe. ``message`` is one sentence of at most ``MAX_MESSAGE_CHARS`` characters.

    Those of :func:`told_from_both_sides` have up to four.
    """

    reachable: bool
    reason: Reason
    message: str


def outcome(reason: Reason, message: str) -> Outcome:
    """Make an outcome, cutting an overlong message."""
    if len(message) > MAX_MESSAGE_CHARS:
        message = message[: MAX_MESSAGE_CHARS - 1] + "…"
    return Outcome(reason is Reason.VERIFIED, reason, message)


def shown(path: str) -> str:
    """Shorten a path for a message."""
    return path if len(path) <= _SHOWN_PATH_CHARS else path[:_SHOWN_PATH_CHARS] + "…"


class Failure(Exception):
    """Ends a probe with an outcome; never leaves the prober."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(reason)
        self.outcome = outcome(reason, message)


class MovedToHttps(Exception):
    """The edge redirects to the same place by https, as edges do for all of their routes; never leaves the prober."""

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url)
        self.base_url = base_url


@dataclass(frozen=True, slots=True)
class Stage:
    """What is being asked, and what it means if the answer is not HTTP, breaks off, or does not come."""

    asked: str
    garbled: Reason = Reason.PROBE_FAILED
    lost: Reason = Reason.CONNECTION_LOST
    late: Reason = Reason.TIMED_OUT
    at_edge: bool = False

    def failure(self, reason: Reason, found: str, fix: str) -> Failure:
        """Make the failure whose sentence is "what was asked, what was found; what to do"."""
        if self.at_edge:
            fix = _EDGE_FIXES.get(reason, fix)
        return Failure(reason, f"{self.asked} {found}; {fix}.")

    def server_error(self, status: int) -> Failure:
        """Make the failure for a 5xx status."""
        found = f"was answered with status {status}"
        return self.failure(Reason.SERVER_ERROR, found, "check that the app's pods are ready and read their logs")

    def too_large(self, what: str) -> Failure:
        """Make the failure for headers or a body beyond the limits."""
        found = f"was answered with {what} larger than the prober reads"
        return self.failure(Reason.RESPONSE_TOO_LARGE, found, "check that the route leads to a Chainlit app")

    def out_of_time(self, connected: bool, seconds: float) -> Failure:
        """Make the failure for the end of the probe's total time, in seconds."""
        if self.late is Reason.TIMED_OUT and not connected:
            return self._connect_timed_out()
        found = f"was not answered completely within the probe's {seconds:g} seconds"
        return self.failure(
            self.late, found, "check the load of the app, and the proxy's time limits and WebSocket support"
        )

    def network_failure(self, exc: Exception, scheme: str) -> Failure:
        """Explain an error of aiohttp or the operating system."""
        if isinstance(exc, aiohttp.ConnectionTimeoutError):
            return self._connect_timed_out()
        if isinstance(exc, aiohttp.ClientConnectorCertificateError):
            return self._certificate_failed(exc.certificate_error)
        if isinstance(exc, aiohttp.ClientConnectorError):
            return self._connect_failed(exc.os_error, scheme)
        if isinstance(exc, aiohttp.ClientResponseError):
            if _exceeds_header_limits(exc):
                return self.too_large("headers")
            found = "was not answered in valid HTTP"
            return self.failure(self.garbled, found, "check that the port is the app's and its scheme is right")
        found = "lost its connection before the answer was complete"
        fix = "check that the app's pods are not restarting, and the port and scheme of the route"
        return self.failure(self.lost, found, fix)

    def _connect_timed_out(self) -> Failure:
        fix = "check network policies and that the address is up"
        return self.failure(Reason.CONNECTION_TIMED_OUT, "got no connection in time", fix)

    def _certificate_failed(self, cause: Exception) -> Failure:
        """Tell what is wrong with a certificate by OpenSSL's number (X509_V_ERR_…)."""
        code = cause.verify_code if isinstance(cause, ssl.SSLCertVerificationError) else 0
        if code in _NOT_IN_TIME:
            found = "met a certificate that has expired or is not valid yet"
            return self.failure(Reason.CERTIFICATE_EXPIRED, found, "renew the certificate, and check the clocks")
        if code in _OTHER_NAME:
            found = "met a certificate for other names than this host"
            fix = "let the route's tls section name a certificate for its host"
            return self.failure(Reason.CERTIFICATE_NAME_MISMATCH, found, fix)
        if code in _UNKNOWN_ISSUER:
            found = "met a certificate of an authority that the operator does not know"
            fix = "send the whole chain, or give the operator the authority (verification.caConfigMap of its chart)"
            return self.failure(Reason.CERTIFICATE_NOT_TRUSTED, found, fix)
        fix = "renew the certificate or correct its chain"
        return Failure(Reason.TLS_FAILED, f"{self.asked} met a certificate that cannot be verified; {fix}.")

    def _connect_failed(self, cause: OSError, scheme: str) -> Failure:
        if isinstance(cause, ConnectionRefusedError):
            fix = "check that the Service has ready endpoints, and that the app listens on 0.0.0.0"
            return self.failure(Reason.CONNECTION_REFUSED, "found nothing that listens", fix)
        if cause.errno == errno.ETIMEDOUT:
            return self._connect_timed_out()
        is_routing = cause.errno in _ROUTING_ERRNOS
        if isinstance(cause, ssl.SSLError) or (scheme == "https" and not is_routing):
            fix = "check that this port serves TLS, or use http"
            return self.failure(Reason.TLS_FAILED, "failed in the TLS handshake", fix)
        found = f"could not connect to the address ({errno.errorcode.get(cause.errno or 0, 'no error number')})"
        return self.failure(Reason.HOST_UNREACHABLE, found, "check network policies and routing")


def told_from_both_sides(url: str, edge: Outcome, backend: Outcome | None) -> Outcome:
    """Return the outcome at the edge, and for a failure on which side of the ingress controller it lies.

    ``backend`` is what the Service answered after that; None if it has no address to be asked at.
    """
    if edge.reachable:
        return edge
    at = f"At {shown(url)}: {edge.message}"
    if backend is None:
        return Outcome(False, edge.reason, at)
    if backend.reachable:
        side = "The app itself answers through its Service, so the fault lies between the browser and the Service."
        return Outcome(False, edge.reason, f"{side} {at}")
    side = "The app does not answer through its Service either, so begin there."
    return Outcome(False, edge.reason, f"{side} {backend.message} {at}")


def _exceeds_header_limits(exc: BaseException) -> bool:
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, LineTooLong):
            return True
        if isinstance(cause, BadHttpMessage) and cause.message == "Too many headers received":
            return True  # the only mark that aiohttp gives it
        cause = cause.__cause__
    return False
