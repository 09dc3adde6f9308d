"""The verifier: probes an app through its Service, at the URL of its route, or both.

Mode ``Edge`` probes the URL, and after a failure the Service too: so the message says on which side the cause is. Mode
``Auto`` probes the Service and then the URL, whose answer is judged by ``domain/edge_judgement.py``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import copy
from dataclasses import replace

from chainlit_operator.domain.edge_judgement import NOT_ASKED, Judgement, judge
from chainlit_operator.domain.model import Check, EdgeMemory, Verification
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.verification.api_addresses import ApiAddresses, UnknownAddressesError
from chainlit_operator.verification.edge_tls import EdgeTLS
from chainlit_operator.verification.pods import Backend, PodAddresses
from chainlit_operator.verification.prober import (
    IPAddress,
    Limits,
    Outcome,
    Policy,
    Prober,
    Resolver,
    Target,
    edge_policy,
    explain_release,
    explain_side,
)
from chainlit_operator.verification.prober.failures import Failure

#: Reasons at the Service that concern the network between operator and app: a browser may reach the app all the same.
_NOT_FROM_HERE = frozenset({Reason.PLAIN_TEXT_REFUSED, Reason.CONNECTION_TIMED_OUT, Reason.HOST_UNREACHABLE})
#: After this many answers in a row that cannot be judged, the URL is asked only every so many verifications: requests
#: without an end must not delay other apps.
UNJUDGED_IN_A_ROW, UNJUDGED_PAUSE = 3, 5
#: Seconds until the handshake of an app that works must be answered, through the Service and at the URL. Three attempts
#: without an answer then take less than five seconds, or ten.
QUICK_SECONDS, QUICK_SECONDS_AT_EDGE = 1.25, 2.5
_NOTHING_KNOWN = EdgeMemory()
#: Names that the cluster's DNS gives to Services and pods; no browser outside the cluster opens them.
_CLUSTER_NAME = re.compile(r"\.(svc|pod)\.?$|\.cluster\.local\.?$", re.IGNORECASE)


class Verifier:
    """Carries out checks."""

    def __init__(
        self,
        api_addresses: ApiAddresses,
        edge_tls: EdgeTLS,
        is_service: Policy,
        pods: PodAddresses,
        prober: Prober | None = None,
    ) -> None:
        """No host of a route may lead to ``api_addresses``. In mode Auto, and for a stated URL, it may not lead to an
        address that ``is_service`` knows.

        ``prober`` probes Services. At the edge a copy of it has stricter rules for addresses, and other TLS settings.
        """
        self._api_addresses, self._edge_tls, self._is_service = api_addresses, edge_tls, is_service
        self._prober = prober or Prober()
        self._edge_limits = self._prober.limits
        self._pods, self._backend = pods, Backend(self._prober, pods, self.policy)
        self._quick = self._with_quick_limits()

    def _with_quick_limits(self) -> Verifier:
        """Return the same verifier for apps that work, which must answer soon."""
        quick, usual = copy(self), self._prober.limits
        quick._prober = replace(self._prober, limits=_quickened(usual, QUICK_SECONDS))
        quick._edge_limits = _quickened(usual, QUICK_SECONDS_AT_EDGE)
        quick._backend = Backend(quick._prober, self._pods, self.policy)
        return quick

    async def verify(
        self,
        check: Check,
        memory: EdgeMemory = _NOTHING_KNOWN,
        *,
        is_quick: bool = False,
    ) -> Verification:
        """Return the outcome of a check.

        ``memory`` is what the app's verifications before it found at the URL. ``is_quick`` is for an app that works: it
        must answer soon.
        """
        verifier = self._quick if is_quick else self
        if check.is_auto:
            return await verifier._verify_both(check, memory)
        if check.at_edge:
            return await verifier._verify_edge(check, memory)
        outcome = await verifier._probe_backend(check)
        return Verification(check, outcome.reachable, outcome.reason, outcome.message)

    async def policy(self) -> Policy:
        """Return the rules for addresses that a tenant can choose. They refuse all while the API server is unknown."""
        try:
            return edge_policy(await self._api_addresses.refuse_any_port())
        except UnknownAddressesError:
            return lambda _: False

    async def _verify_edge(self, check: Check, memory: EdgeMemory) -> Verification:
        outcome, addresses = await self._probe_edge(check)
        if outcome.reachable:
            return _result(check, outcome, EdgeMemory(has_answered=True, addresses=addresses))
        backend = await self._probe_backend(check) if check.base_url else None
        at_service = backend.reason if backend is not None else None
        return replace(_result(check, explain_side(outcome, backend), memory), at_service=at_service)

    async def _verify_both(self, check: Check, memory: EdgeMemory) -> Verification:
        backend = await self._probe_backend(check)
        if not backend.reachable:
            return await self._verify_without_service(check, memory, backend)
        if not check.at_edge:
            return _result(check, backend, memory)
        if memory.unjudged >= UNJUDGED_IN_A_ROW and memory.unjudged % UNJUDGED_PAUSE:
            return _not_judged(check, replace(memory, unjudged=memory.unjudged + 1))
        edge, addresses = await self._probe_edge(check)
        memory = _with_addresses(memory, edge, addresses)
        judgement = judge(edge.reason, edge.answered_by, has_answered=memory.has_answered)
        if judgement is Judgement.WORKS:
            return _result(check, edge, EdgeMemory(has_answered=True, addresses=addresses))
        if judgement is Judgement.FAULT:
            failed = _result(check, explain_side(edge, backend), replace(memory, unjudged=0))
            return replace(failed, at_service=backend.reason)
        return _not_judged(check, replace(memory, unjudged=memory.unjudged + 1, said=f"{edge.reason}: {edge.found}"))

    async def _verify_without_service(self, check: Check, memory: EdgeMemory, backend: Outcome) -> Verification:
        """Return that the app works if a browser reaches it all the same, else what the Service says."""
        if check.at_edge and backend.reason in _NOT_FROM_HERE:
            edge, addresses = await self._probe_edge(check)
            if edge.reachable:
                return _result(check, edge, EdgeMemory(has_answered=True, addresses=addresses))
        return replace(_result(check, backend, memory), at_service=backend.reason)

    async def _probe_edge(self, check: Check) -> tuple[Outcome, frozenset[str]]:
        """Probe the URL. The second value has the addresses of its host, empty if it is an address."""
        target = Target(check.edge_url, check.page_prefix + check.root_path, at_edge=True)
        # A stated URL may have any address and port, so it is not asked at a Service, whatever the mode.
        is_outside = check.is_auto or check.is_stated
        try:
            target.check()
            if is_outside and _CLUSTER_NAME.search(target.server_name):
                return _forbidden(target), frozenset()
            is_api_server = await self._api_addresses.refuse(check.edge_url)
        except Failure as failure:
            return failure.outcome, frozenset()
        except UnknownAddressesError as error:
            found = f"The operator does not ask {target.url(target.page_path)}, because {error}"
            return Outcome(Reason.PROBE_FAILED, found, error.fix), frozenset()
        is_service = self._is_service if is_outside else _is_no_service
        found_addresses: set[str] = set()
        prober = replace(
            self._prober,
            limits=self._edge_limits,
            allow=edge_policy(lambda address: is_api_server(address) or is_service(address)),
            resolve=_recorded(self._prober.resolve, found_addresses),
            tls=self._edge_tls.context(),
        )
        return await prober.probe(target), frozenset(found_addresses)

    async def _probe_backend(self, check: Check) -> Outcome:
        found = await self._backend.find(check)
        if found is None:
            return Outcome(
                Reason.HOST_UNREACHABLE,
                f"No address of a ready pod behind {check.service} is known",
                "Check that its pods are ready, and that the operator may list EndpointSlices",
            )
        prober, target = found
        outcome = await prober.probe(target)
        return outcome if outcome.reachable else await explain_release(prober, target, outcome)


def _quickened(limits: Limits, seconds: float) -> Limits:
    return replace(limits, connect_seconds=seconds, answer_seconds=seconds)


def _result(check: Check, outcome: Outcome, memory: EdgeMemory) -> Verification:
    return Verification(check, outcome.reachable, outcome.reason, outcome.message, edge=memory)


def _not_judged(check: Check, memory: EdgeMemory) -> Verification:
    """Return the result for an app that answers through its Service, at a URL whose answer proves nothing."""
    message = f"The app answers through its Service. Its URL is not judged ({memory.said})."
    return Verification(check, True, Reason.EDGE_NOT_JUDGED, message, edge=memory)


def _with_addresses(memory: EdgeMemory, edge: Outcome, addresses: frozenset[str]) -> EdgeMemory:
    """Return the memory, without its success where the host has only other addresses now: that is another edge."""
    is_elsewhere = bool(addresses and memory.addresses) and addresses.isdisjoint(memory.addresses)
    if not edge.reachable and (is_elsewhere or edge.reason in NOT_ASKED):
        return replace(memory, has_answered=False, addresses=frozenset())
    return memory


def _forbidden(target: Target) -> Outcome:
    page = target.url(target.page_path)
    found = f"The host of {page} is a name of the cluster's own DNS, which is not asked"
    return Outcome(Reason.ADDRESS_FORBIDDEN, found, "Set spec.verification.mode to Edge if browsers open this name")


def _is_no_service(_: IPAddress) -> bool:
    return False


def _recorded(resolve: Resolver, found: set[str]) -> Resolver:
    """Return the resolver that also puts its answers into ``found``."""

    async def resolve_and_record(host: str, port: int) -> Sequence[str]:
        addresses = await resolve(host, port)
        found.update(addresses)
        return addresses

    return resolve_and_record
