"""The failures of one request: each becomes a reason, a finding and a fix."""

from __future__ import annotations

import errno
import ssl
from dataclasses import dataclass

import aiohttp
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong

from chainlit_operator.domain.model import AnsweredBy
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.verification.prober.outcome import Outcome

_ROUTING_ERRNOS = frozenset(
    {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES, errno.EPERM, errno.EADDRNOTAVAIL, errno.ETIMEDOUT}
)

# OpenSSL's X509_V_ERR_… numbers, https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/
_NOT_IN_TIME = frozenset({9, 10})
_OTHER_NAME = frozenset({62, 64})
_UNKNOWN_ISSUER = frozenset({2, 18, 19, 20, 21})

#: Fixes for failures at the edge, where they differ from those behind it.
_EDGE_FIXES = {
    Reason.DNS_LOOKUP_FAILED: "Create a DNS record for the host, also in the cluster's own DNS, or correct the host",
    Reason.CONNECTION_REFUSED: "Check that the DNS record leads to the ingress controller, and that it opens this port",
    Reason.CONNECTION_TIMED_OUT: "Check firewalls and network policies, and that pods can reach the external address "
    "of the cluster (hairpin)",
    Reason.HOST_UNREACHABLE: "Check firewalls, network policies and routing from the cluster to this address",
    Reason.CONNECTION_LOST: "Check the ingress controller and the proxies in front of it, and port and scheme of the "
    "route",
    Reason.TLS_FAILED: "Check that the ingress controller serves TLS for this host, or remove tls from the route",
    Reason.HANDSHAKE_NOT_FOUND: "Check that the ingress controller serves the route (class, host and path), and that "
    "the Service has a ready pod",
    Reason.HANDSHAKE_IS_HTML: "Check that no other route and no login page answers for this host and path",
    Reason.HANDSHAKE_MALFORMED: "Check that the DNS record leads to the ingress controller of this route",
    Reason.UPGRADE_REFUSED: "Allow WebSocket upgrades for this route in the ingress controller and in proxies in front "
    "of it",
    Reason.PAGE_NOT_FOUND: "Check that the route covers the path itself and all paths below it (pathType Prefix)",
    Reason.SERVER_ERROR: "Check that the ingress controller reaches ready pods of the Service, and read its log",
    Reason.RESPONSE_TOO_LARGE: "Check that the route leads to Chainlit, and which headers the ingress controller adds",
}


class Failure(Exception):
    """Ends a probe with an outcome; never leaves the prober."""

    def __init__(self, reason: Reason, found: str, fix: str, answered_by: AnsweredBy = AnsweredBy.NOBODY) -> None:
        super().__init__(reason)
        self.outcome = Outcome(reason, found, fix, answered_by)


@dataclass(frozen=True, slots=True)
class Stage:
    """One request of a probe, with the reasons for three of its failures.

    ``request`` is the subject of the finding, such as ``GET http://10.0.0.7/chat/``. ``garbled`` is the reason if the
    answer is not HTTP, ``lost`` if the connection breaks, ``late`` if the probe's time ends. ``answered_by`` is the
    sender of an answer to this request that shows no other sender.
    """

    request: str
    garbled: Reason = Reason.PROBE_FAILED
    lost: Reason = Reason.CONNECTION_LOST
    late: Reason = Reason.TIMED_OUT
    at_edge: bool = False
    answered_by: AnsweredBy = AnsweredBy.OTHER

    def failure(self, reason: Reason, found: str, fix: str, answered_by: AnsweredBy | None = None) -> Failure:
        """Make the failure of an answer. ``found`` continues the sentence that ``request`` begins."""
        if self.at_edge:
            fix = _EDGE_FIXES.get(reason, fix)
        return Failure(reason, f"{self.request} {found}", fix, answered_by or self.answered_by)

    def unanswered(self, reason: Reason, found: str, fix: str) -> Failure:
        """Make the failure of a request without an answer. An upgrade without one is refused by the app or a proxy."""
        sender = self.answered_by if reason is Reason.UPGRADE_REFUSED else AnsweredBy.NOBODY
        return self.failure(reason, found, fix, sender)

    def server_error(self, status: int) -> Failure:
        """Make the failure for a 5xx status."""
        fix = "Check that the app's pods are ready, and read their logs"
        return self.failure(Reason.SERVER_ERROR, f"returns status {status}", fix, AnsweredBy.CONTROLLER)

    def plain_text_refused(self, found: str) -> Failure:
        """Make the failure for a mesh that takes only mutual TLS. ``found`` continues the sentence."""
        fix = (
            "Take the operator into the mesh, let the mesh accept plain text at this port (Istio: a PeerAuthentication "
            "with mode PERMISSIVE), or set spec.verification.mode to Edge"
        )
        return self.unanswered(Reason.PLAIN_TEXT_REFUSED, found, fix)

    def too_large(self, part: str) -> Failure:
        """Make the failure for headers or a body beyond the limits."""
        found = f"returns {part} larger than the prober reads"
        return self.failure(Reason.RESPONSE_TOO_LARGE, found, "Check that the address leads to Chainlit")

    def out_of_time(self, *, is_connected: bool, seconds: float) -> Failure:
        """Make the failure for the end of the probe's total time, in seconds."""
        if self.late is Reason.TIMED_OUT and not is_connected:
            return self._connect_timed_out()
        found = f"gets no complete answer within the {seconds:g} seconds of the probe"
        fix = "Check the load of the app, and time limits and WebSocket support of proxies in front of it"
        return self.unanswered(self.late, found, fix)

    def network_failure(self, error: Exception, scheme: str) -> Failure:
        """Explain an error of aiohttp or of the operating system."""
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return self._connect_timed_out()
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            return self._certificate_failed(error.certificate_error)
        if isinstance(error, aiohttp.ClientConnectorError):
            return self._connect_failed(error.os_error, scheme)
        if isinstance(error, aiohttp.ClientResponseError):
            if _exceeds_header_limits(error):
                return self.too_large("headers")
            fix = "Check that port and scheme are those of the app"
            return self.failure(self.garbled, "gets an answer that is not valid HTTP", fix)
        return self._connection_lost(error)

    def _connection_lost(self, error: Exception) -> Failure:
        if self.lost is Reason.PLAIN_TEXT_REFUSED and _is_reset(error):
            return self.plain_text_refused("has its connection reset at once, as by a mesh that takes only mutual TLS")
        lost = Reason.CONNECTION_LOST if self.lost is Reason.PLAIN_TEXT_REFUSED else self.lost
        fix = "Check that the app's pods do not restart, and that port and scheme are those of the app"
        return self.unanswered(lost, "loses its connection before the answer is complete", fix)

    def _connect_timed_out(self) -> Failure:
        fix = "Check network policies, and that the address is in use"
        return self.unanswered(Reason.CONNECTION_TIMED_OUT, "gets no connection in time", fix)

    def _certificate_failed(self, cause: Exception) -> Failure:
        """Tell the certificate failures apart by OpenSSL's number (X509_V_ERR_…)."""
        code = cause.verify_code if isinstance(cause, ssl.SSLCertVerificationError) else 0
        if code in _NOT_IN_TIME:
            found, fix = "gets a certificate that has expired or is not valid yet", "Renew it, and check the clocks"
            return self.unanswered(Reason.CERTIFICATE_EXPIRED, found, fix)
        if code in _OTHER_NAME:
            found = "gets a certificate for other host names"
            fix = "Name a certificate for this host in the route's tls section"
            return self.unanswered(Reason.CERTIFICATE_NAME_MISMATCH, found, fix)
        if code in _UNKNOWN_ISSUER:
            found = "gets a certificate of an authority that the operator does not trust"
            fix = "Send the whole chain, or add the authority to the operator (verification.caConfigMap of its chart)"
            return self.unanswered(Reason.CERTIFICATE_NOT_TRUSTED, found, fix)
        found = f"{self.request} gets a certificate that cannot be verified"
        return Failure(Reason.TLS_FAILED, found, "Renew the certificate, or correct its chain")

    def _connect_failed(self, cause: OSError, scheme: str) -> Failure:
        if isinstance(cause, ConnectionRefusedError):
            fix = "Check that the Service has ready endpoints, and that the app listens on all addresses"
            found = "gets no connection, because nothing listens on this port"
            return self.unanswered(Reason.CONNECTION_REFUSED, found, fix)
        if cause.errno == errno.ETIMEDOUT:
            return self._connect_timed_out()
        is_routing = cause.errno in _ROUTING_ERRNOS
        if isinstance(cause, ssl.SSLError) or (scheme == "https" and not is_routing):
            fix = "Check that this port serves TLS, or use http"
            return self.unanswered(Reason.TLS_FAILED, "fails in the TLS handshake", fix)
        found = f"gets no connection ({errno.errorcode.get(cause.errno or 0, 'no error number')})"
        return self.unanswered(Reason.HOST_UNREACHABLE, found, "Check network policies and routing")


def _is_reset(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.ECONNRESET, errno.EPIPE)


def _exceeds_header_limits(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, LineTooLong):
            return True
        if isinstance(cause, BadHttpMessage) and cause.message == "Too many headers received":
            return True  # aiohttp has no type of its own for it
        cause = cause.__cause__
    return False
