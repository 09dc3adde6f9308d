"""Releases of Chainlit that answer elsewhere, recognised by where they do.

A release is never told by its name or number: forks, and images whose tags say anything, behave as they behave. Each
look is a probe of the place where that release would answer.

==================  =======================================  ==============================================
releases            with ``CHAINLIT_ROOT_PATH=/chat``        with ``CHAINLIT_PARENT_ROOT_PATH=/chat`` only
==================  =======================================  ==============================================
1.1.300 – 1.1.404   the socket is mounted at ``//chat/ws``   ignored
1.2.0 – 2.0.5       all at ``/chat``                         ignored
2.0.6 – 2.2.1       all at ``/``, ``/chat`` in the page only  ignored
2.3.0 – 2.4.0       all at ``/chat``                         ignored
2.4.1 and later     all at ``/chat``                         all at ``/``, ``/chat`` in the page only
==================  =======================================  ==============================================
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import replace

from chainlit_operator.domain.reasons import Reason
from chainlit_operator.verification.prober.address import Policy, Resolver, address_allowed, system_resolve
from chainlit_operator.verification.prober.outcome import Failure, Outcome, Stage, outcome, shown
from chainlit_operator.verification.prober.parse import OPEN_PREFIX
from chainlit_operator.verification.prober.steps import DEFAULT_LIMITS, Target, locate, probe
from chainlit_operator.verification.prober.transport import Client, Limits, read_body

_log = logging.getLogger(__name__)

#: What python-engineio says, with status 404 and as plain text, at a path that is mounted but not its own.
_ENGINEIO_NOT_FOUND = b"Not Found"
_SOCKET_ELSEWHERE = frozenset({Reason.HANDSHAKE_NOT_FOUND, Reason.HANDSHAKE_IS_HTML})


async def explain(
    target: Target,
    failed: Outcome,
    limits: Limits = DEFAULT_LIMITS,
    *,
    allow: Policy = address_allowed,
    resolve: Resolver = system_resolve,
    ask: Callable[..., Awaitable[Outcome]] = probe,
    tls: ssl.SSLContext | None = None,
) -> Outcome:
    """Return why a probe of ``target`` failed, if a release that answers elsewhere is why; else ``failed``.

    ``ask`` is the probe itself, ``tls`` is for it. For a target that is asked directly: through a route the other
    places belong to others. Costs at most three probes.
    """

    async def answers(root_path: str, page_prefix: str) -> bool:
        other = replace(target, root_path=root_path, page_prefix=page_prefix)
        return (await ask(other, limits, allow=allow, resolve=resolve, tls=tls)).reachable

    root, parent = target.root_path, target.page_prefix
    if failed.reason is Reason.ASSETS_MISSING and parent and await answers(root, ""):
        return outcome(
            Reason.PARENT_ROOT_PATH_IGNORED,
            f"The page leaves out {shown(parent)}, which the route strips, so a browser shows a blank page: this "
            "Chainlit does not read CHAINLIT_PARENT_ROOT_PATH. Upgrade to Chainlit 2.4.1 or later (2.12 is tested), or "
            "let the route leave the path alone.",
        )
    if failed.reason not in _SOCKET_ELSEWHERE or not root:
        return failed
    if await _is_at_doubled_slash(target, limits, allow, resolve, tls):
        return outcome(
            Reason.SOCKET_AT_DOUBLED_SLASH,
            f"This Chainlit mounts its socket at /{shown(root)}/ws, where no browser asks: a fault of releases before "
            "1.2.0. Upgrade to Chainlit 2.3 or later (2.12 is tested), or serve the app at / on a host of its own.",
        )
    if await answers("", parent + root):
        return outcome(
            Reason.ROOT_PATH_IN_PAGE_ONLY,
            f"This Chainlit writes {shown(root)} into its page and serves everything at /, as releases 2.0.6 to 2.2.1 "
            "do. Upgrade to Chainlit 2.3 or later (2.12 is tested), or let the route strip the path.",
        )
    if await answers("", ""):
        return outcome(
            Reason.ROOT_PATH_IGNORED,
            f"The app serves everything at / as if CHAINLIT_ROOT_PATH were not {shown(root)}: it does not read it, or "
            "sets another itself. Start it with chainlit run of Chainlit 2.3 or later (2.12 is tested); where another "
            "app mounts it, say where in spec.mountPath.",
        )
    return failed


async def _is_at_doubled_slash(
    target: Target, limits: Limits, allow: Policy, resolve: Resolver, tls: ssl.SSLContext | None
) -> bool:
    """Whether Engine.IO answers below the root path led by two slashes, be it that it knows nothing there."""
    client = Client(limits, True if tls is None else tls)
    try:
        async with asyncio.timeout(limits.total_seconds):
            endpoint = await locate(client, target, limits, allow, resolve)
            client.begin(Stage("The look at a doubled slash"))
            async with (
                client.open(endpoint),
                client.request("GET", f"/{target.root_path}/ws/socket.io/", "EIO=4&transport=polling") as response,
            ):
                body, _ = await read_body(response, limits.max_handshake_bytes)
                refused = response.status == 404 and response.content_type == "text/plain"
                return body.startswith(OPEN_PREFIX) or (refused and body == _ENGINEIO_NOT_FOUND)
    except (Failure, TimeoutError):
        return False
    except Exception as exc:
        # As in a probe: the app chooses what the HTTP library is fed.
        _log.warning("a look at a doubled slash ended with an unexpected %s", type(exc).__name__, exc_info=True)
        return False
