"""One probe: looks up and checks an address, sends the requests within a time limit, and returns an outcome.

A probe connects to one address, which is looked up once and checked. It follows no redirect, except at the edge to the
same URL with https. It reads bounded amounts, and its messages contain no text of the peer.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from chainlit_operator.domain.reasons import Reason
from chainlit_operator.verification.prober.address import (
    ForbiddenAddressError,
    IPAddress,
    LookupFailedError,
    Policy,
    Resolver,
    address_allowed,
    pick_address,
    system_resolve,
)
from chainlit_operator.verification.prober.chat import hold_chat
from chainlit_operator.verification.prober.failures import Failure
from chainlit_operator.verification.prober.outcome import Outcome
from chainlit_operator.verification.prober.steps import redirects_to_https, take_steps, without_slash
from chainlit_operator.verification.prober.target import Target
from chainlit_operator.verification.prober.transport import DEFAULT_LIMITS, Client, Limits, MovedToHttps

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Prober:
    """Probes targets within limits; keeps nothing between two probes.

    ``allow`` judges an address before anything is sent to it. ``resolve`` turns a host name and port into addresses.
    ``tls`` replaces the default settings, which trust the system's certificate authorities.
    """

    limits: Limits = DEFAULT_LIMITS
    allow: Policy = address_allowed
    resolve: Resolver = system_resolve
    tls: ssl.SSLContext | None = None

    async def probe(self, target: Target) -> Outcome:
        """Test whether the socket and the page of a Chainlit app work at a target.

        Every failure of the target, the network or the peer becomes an outcome: only ``asyncio.CancelledError`` is
        raised. At the end, every socket that the probe opened is closed.
        """
        client = Client(target, self.limits, self.tls)

        async def take_all_steps() -> Outcome:
            async with self.connected(client):
                leaves_https = await take_steps(client)
            warning = without_slash(target) if leaves_https and await self._stays_on_http(target) else ""
            as_browsers = ", requested as browsers do" if target.at_edge else ""
            works = f"Engine.IO handshake, WebSocket upgrade, page and script work at {target.url(target.page_path)}"
            return Outcome(Reason.VERIFIED, f"{works}{as_browsers}", warning)

        try:
            return await self._explained(client, take_all_steps)
        except MovedToHttps as moved:
            outcome = await self.probe(moved.target)
            return outcome if outcome.reachable else replace(outcome, found=f"Redirected to https: {outcome.found}")

    async def _explained(self, client: Client, steps: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """Return the outcome of some steps, also where they fail. Raises MovedToHttps."""
        try:
            return await steps()
        except Failure as failure:
            return failure.outcome
        except MovedToHttps:
            raise
        except TimeoutError:
            return client.out_of_time().outcome
        except Exception as error:
            # The peer chooses what the HTTP and HTML libraries read: their faults must not stop the operator.
            _log.warning("a probe ended with an unexpected %s", type(error).__name__, exc_info=True)
            fix = "Read the operator's log"
            return client.stage.failure(Reason.PROBE_FAILED, "ends with an internal error", fix).outcome

    async def chat(self, target: Target, text: str, cookie: str = "") -> Outcome:
        """Send one chat message to a target and wait for any answer; ``cookie`` is for an app with a login."""
        client = Client(target, self.limits, self.tls)

        async def hold() -> Outcome:
            async with self.connected(client):
                await hold_chat(client, text, cookie)
            return Outcome(Reason.VERIFIED, f"A chat message is answered at {target.url(target.page_path)}")

        return await self._explained(client, hold)

    async def _stays_on_http(self, target: Target) -> bool:
        """Whether a browser stays on http once it was redirected there; most edges redirect it back to https."""
        client = Client(target.by_http(), self.limits, self.tls)
        try:
            async with self.connected(client):
                return not await redirects_to_https(client)
        except (Failure, TimeoutError):
            return True

    @asynccontextmanager
    async def connected(self, client: Client) -> AsyncIterator[None]:
        """Connect a client to its target, for at most the total time of a probe.

        Raises:
            Failure: the target is invalid, its address is not allowed, or the network fails.
            TimeoutError: the total time has passed.

        """
        async with asyncio.timeout(self.limits.total_seconds):
            client.target.check()
            address = await self._look_up(client)
            async with client.open(client.target.endpoint(address)):
                yield

    async def _look_up(self, client: Client) -> IPAddress:
        target, failed = client.target, Reason.DNS_LOOKUP_FAILED
        stage = client.begin("The DNS lookup for", target.page_path, late=failed)
        try:
            async with asyncio.timeout(self.limits.connect_seconds):
                return await pick_address(*target.host_and_port, resolve=self.resolve, allow=self.allow)
        except TimeoutError as error:
            raise stage.unanswered(failed, "gets no answer in time", "Check the cluster's DNS") from error
        except LookupFailedError as error:
            fix = "Create a DNS record for the host, or correct the host"
            raise stage.unanswered(failed, "gives no usable address", fix) from error
        except ForbiddenAddressError as error:
            own = ", the API server, the operator" if target.at_edge else ""
            raise Failure(
                Reason.ADDRESS_FORBIDDEN,
                f"The host of {target.url(target.page_path)} has an address to which the operator never connects "
                f"(loopback, link-local, multicast, metadata{own})",
                "Use a host that leads to the app's Service or ingress controller",
            ) from error
