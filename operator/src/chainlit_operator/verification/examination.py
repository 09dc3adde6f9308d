"""Examines one pod: where Chainlit answers in it, and why it may not become ready.

Chainlit's own description of its API (``/openapi.json``) is outside its root path. So it tells a root path that nobody
knows; and below the prefix of a mount it tells that another app mounts Chainlit there.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from chainlit_operator import ip_addresses
from chainlit_operator.domain import chainlit, paths
from chainlit_operator.domain.model import Cause, Finding, Speaking, SpeakingPort, Whereabouts, WhyUnready
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.verification.prober import Prober
from chainlit_operator.verification.prober.fetch import Reply, fetch
from chainlit_operator.verification.prober.parse import OPEN_PREFIX

_HANDSHAKE = "EIO=4&transport=polling"
_NO_CONNECTION = frozenset({Reason.CONNECTION_TIMED_OUT, Reason.HOST_UNREACHABLE, Reason.ADDRESS_FORBIDDEN})
#: A prefix that a pod tells gets into a message. Nobody has longer ones.
_MAX_PREFIX_CHARS = 100


class _OpenAPI(msgspec.Struct):
    paths: dict[str, msgspec.Raw] = {}


_decode_openapi = msgspec.json.Decoder(_OpenAPI).decode


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod, at its own address."""

    prober: Prober
    address: str

    async def get(self, port: int, path: str, query: str = "") -> Reply | Reason:
        """Send a GET request, with the address of the pod as its host, as the kubelet does."""
        return await fetch(
            self.prober, f"http://{ip_addresses.in_url(self.address)}:{port}", f"/{path.removeprefix('/')}", query
        )

    async def handshake(self, port: int, prefix: str) -> Reply | Reason:
        """Ask the Socket.IO server below a prefix for a session, which ends by itself."""
        return await self.get(port, f"{prefix}/{chainlit.SOCKET}/", _HANDSHAKE)

    async def speaks(self, port: int, prefix: str) -> bool:
        """Whether an Engine.IO server answers below a prefix."""
        return is_open(await self.handshake(port, prefix))


def is_open(reply: Reply | Reason) -> bool:
    """Whether a reply is an Engine.IO open packet."""
    return isinstance(reply, Reply) and reply.status == 200 and reply.body.startswith(OPEN_PREFIX)


async def speaking_port(pod: Pod, question: SpeakingPort) -> Speaking | None:
    """Return Chainlit's port; None if no port of the pod answers."""
    is_answered = False
    for port in question.ports:
        replies = [await pod.get(port, chainlit.OPENAPI)]
        if chainlit_prefix(replies[0]) is not None:
            return Speaking(port)
        for prefix in question.prefixes:
            replies.append(await pod.handshake(port, prefix))
            if is_open(replies[-1]):
                return Speaking(port)
        is_answered = is_answered or any(isinstance(reply, Reply) for reply in replies)
    return Speaking(0) if is_answered else None


async def why_unready(pod: Pod, question: WhyUnready) -> Finding:
    """Return why the pod does not become ready, as far as its answers tell."""
    wanted = question.whereabouts
    reply = await pod.handshake(wanted.port, wanted.root_path)
    if reply is Reason.CONNECTION_REFUSED:
        return await _other_port(pod, question) or Finding(Cause.NOT_LISTENING, port=wanted.port)
    if reply in _NO_CONNECTION:
        return Finding(Cause.UNREACHABLE, port=wanted.port)
    if is_open(reply):
        return await _failing_probe(pod, question) or Finding(Cause.NOTHING)
    elsewhere = await _elsewhere(pod, wanted) or await _failing_probe(pod, question)
    return elsewhere or Finding(Cause.ELSE, status=reply.status if isinstance(reply, Reply) else 0)


async def whereabouts(pod: Pod, question: Whereabouts) -> Finding | None:
    """Return where Chainlit answers in a ready pod; None if the pod does not answer."""
    reply = await pod.handshake(question.port, question.root_path)
    if reply is Reason.CONNECTION_REFUSED or reply in _NO_CONNECTION:
        return None
    if is_open(reply):
        return Finding(Cause.NOTHING)
    return await _elsewhere(pod, question) or Finding(
        Cause.ELSE, status=reply.status if isinstance(reply, Reply) else 0
    )


async def _elsewhere(pod: Pod, question: Whereabouts) -> Finding | None:
    """Chainlit below another prefix; None where it is not found. Releases that serve all at ``/`` are the prober's."""
    told = chainlit_prefix(await pod.get(question.port, chainlit.OPENAPI))
    if told and told != question.root_path and await pod.speaks(question.port, told):
        return Finding(Cause.OWN_ROOT_PATH, prefix=told)
    for prefix in question.prefixes:
        if await pod.speaks(question.port, prefix):
            is_mounted = chainlit_prefix(await pod.get(question.port, prefix + chainlit.OPENAPI)) == ""
            return Finding(Cause.MOUNTED if is_mounted else Cause.OWN_ROOT_PATH, prefix=prefix)
    return None


async def _other_port(pod: Pod, question: WhyUnready) -> Finding | None:
    for port in question.other_ports:
        if await pod.speaks(port, question.whereabouts.root_path):
            return Finding(Cause.OTHER_PORT, port=port)
    return None


async def _failing_probe(pod: Pod, question: WhyUnready) -> Finding | None:
    """The first probe that fails. To the kubelet, a redirect is a success."""
    for probe, port, path in question.probes:
        reply = await pod.get(port, path)
        if isinstance(reply, Reply) and reply.status >= 400:
            return Finding(Cause.PROBE, probe=probe, status=reply.status)
    return None


def chainlit_prefix(reply: Reply | Reason) -> str | None:
    """Return Chainlit's root path, if a reply is the description of Chainlit's API; it is the text of a peer."""
    if not isinstance(reply, Reply) or reply.status != 200:
        return None
    try:
        found = _decode_openapi(reply.body).paths
    except (msgspec.MsgspecError, RecursionError):
        return None
    for path in found:
        prefix = path.removesuffix(chainlit.SETTINGS)
        if prefix != path and prefix + chainlit.AUTH_CONFIG in found:
            return prefix if len(prefix) <= _MAX_PREFIX_CHARS and not paths.problem(prefix) else None
    return None
