"""Asks pods what only they know, at their own addresses.

The addresses come from the EndpointSlices of a Service. A tenant can write EndpointSlices, so their addresses have the
rules of hosts of routes: neither the API server nor the operator itself is asked.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import assert_never
from urllib.parse import urlsplit

import msgspec

from chainlit_operator import ip_addresses
from chainlit_operator.domain import chainlit
from chainlit_operator.domain.model import (
    NOBODY,
    Answer,
    Check,
    PathAnswer,
    PathKind,
    Pods,
    Question,
    SpeakingPort,
    Standing,
    Stands,
    Whereabouts,
    WhyUnready,
)
from chainlit_operator.domain.reasons import ELSEWHERE, Reason
from chainlit_operator.kinds.endpointslice import SERVICE_LABEL, Endpoint, endpoints
from chainlit_operator.kube.client import Api
from chainlit_operator.kube.errors import ApiError
from chainlit_operator.object_ref import Ref
from chainlit_operator.verification.examination import Pod, speaking_port, whereabouts, why_unready
from chainlit_operator.verification.prober import DEFAULT_LIMITS, Policy, Prober, Target
from chainlit_operator.verification.prober.fetch import Reply
from chainlit_operator.verification.prober.parse import looks_like_html

logger = logging.getLogger(__name__)

#: EndpointSlices have up to 100 addresses each; a few pods are enough.
_MAX_SLICES, _MAX_PODS = 10, 3
#: A pod is near: it answers in milliseconds, or something holds the request back.
_POD_LIMITS = replace(DEFAULT_LIMITS, connect_seconds=1.0, total_seconds=2.0)
#: Seconds between two probes of a Service.
_PAUSE = 0.5
#: Reasons without a reply that are an answer nevertheless: no other pod would give another one.
_ANSWERS = frozenset({Reason.REDIRECTED, Reason.TARGET_INVALID, Reason.PROBE_FAILED, Reason.RESPONSE_TOO_LARGE})


class PodAddresses:
    """Lists the addresses of the pods behind a Service."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def of(self, service: Ref) -> list[Endpoint]:
        """Return the addresses; none where the API server does not tell them."""
        label = f"{SERVICE_LABEL}={service.name}"
        try:
            page = await self._api.list_page("EndpointSlice", service.namespace, _MAX_SLICES, label=label)
            found = [endpoint for raw in page.items or () for endpoint in endpoints(raw)]
        except (ApiError, msgspec.DecodeError) as error:
            logger.info("Cannot ask the pods of %s, because its EndpointSlices cannot be read: %s", service, error)
            return []
        # Behind a Service of two families each pod has two addresses, and many an app listens on IPv4 only.
        return sorted(dict.fromkeys(found), key=lambda endpoint: ip_addresses.is_ipv6(endpoint.address))


GetPolicy = Callable[[], Awaitable[Policy]]


class Backend:
    """The app behind a check: its Service, or a ready pod where the Service leads to a login proxy."""

    def __init__(self, prober: Prober, addresses: PodAddresses, policy: GetPolicy) -> None:
        """``prober`` probes Services; ``policy`` gives the rules for the addresses of pods."""
        self._prober, self._addresses, self._policy = prober, addresses, policy

    async def find(self, check: Check) -> tuple[Prober, Target] | None:
        """Return what to probe, and with which prober; None if no pod is ready."""
        target = Target(check.base_url, check.root_path, check.page_prefix)
        if check.service is None:
            return self._prober, target
        ready = [endpoint.address for endpoint in await self._addresses.of(check.service) if endpoint.is_ready]
        if not ready:
            return None
        # The first family of the Service is the one that the kubelet's probes use.
        is_first = ip_addresses.is_ipv6(urlsplit(check.base_url).hostname or "")
        address = min(ready, key=lambda address: ip_addresses.is_ipv6(address) is not is_first)
        base_url = f"http://{ip_addresses.in_url(address)}:{check.pod_port}"
        return replace(self._prober, allow=await self._policy()), replace(target, base_url=base_url)


class PodAsker:
    """Answers questions of decisions."""

    def __init__(self, addresses: PodAddresses, policy: GetPolicy, prober: Prober | None = None) -> None:
        """``prober`` probes Services; ``policy`` gives the rules for the addresses of pods."""
        self._addresses, self._policy = addresses, policy
        self._prober = prober or Prober()
        self._backend = Backend(self._prober, addresses, policy)

    async def answer(self, question: Question) -> Answer:
        """Return the answer to a question; NOBODY where there is no pod to ask, or none that answers."""
        match question:
            case Stands(check):
                return await self._standing(check)
            case PathAnswer(pods, port, path):
                return await self._first(pods, lambda pod: _path_answer(pod, port, path))
            case SpeakingPort(pods):
                return await self._first(pods, lambda pod: speaking_port(pod, question))
            case Whereabouts(pods):
                return await self._first(pods, lambda pod: whereabouts(pod, question))
            case WhyUnready(Whereabouts(pods)):
                return await self._first(pods, lambda pod: why_unready(pod, question), are_ready=False)
        assert_never(question)

    async def _first(
        self, pods: Pods, ask: Callable[[Pod], Awaitable[Answer | None]], *, are_ready: bool = True
    ) -> Answer:
        """The first answer of pods that are ready, or of those that are not."""
        prober = replace(self._prober, limits=_POD_LIMITS, allow=await self._policy())
        asked = [endpoint for endpoint in await self._addresses.of(pods.service) if endpoint.is_ready == are_ready]
        for endpoint in asked[:_MAX_PODS]:
            answer = await ask(Pod(prober, endpoint.address))
            if answer is not None:
                return answer
        return NOBODY

    async def _standing(self, check: Check) -> Answer:
        """Probe an app. A failure counts if it has to do with the path, or if it is the second one in a row."""
        found = await self._backend.find(check)
        if found is None:
            return NOBODY
        prober, target = found
        outcome = await prober.probe(target)
        if not outcome.reachable and outcome.reason not in ELSEWHERE:
            await asyncio.sleep(_PAUSE)
            outcome = await prober.probe(target)
        return Standing.GOOD if outcome.reachable else Standing.BAD


async def _path_answer(pod: Pod, port: int, path: str) -> PathKind | None:
    reply = await pod.get(port, path)
    return path_kind(reply) if isinstance(reply, Reply) or reply in _ANSWERS else None


def path_kind(reply: Reply | Reason) -> PathKind:
    """Return which answer a request for a path got."""
    if not isinstance(reply, Reply):
        return PathKind.OTHER
    if reply.status == 404:
        return PathKind.NOT_FOUND
    is_page = reply.status == 200 and looks_like_html(reply.content_type, reply.body)
    return PathKind.CATCH_ALL if is_page and chainlit.PAGE_MARK in reply.body else PathKind.OTHER
