"""Carrying out a check: through the Service, or through the route's URL and then on which side a failure lies."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from chainlit_operator.domain.conditions import Check, Verification
from chainlit_operator.verification import prober
from chainlit_operator.verification.edge_tls import EdgeTLS

#: The API server's name inside every cluster, whatever address the operator uses.
_API_SERVER = "https://kubernetes.default.svc"


class Verifier:
    """Asks apps as their checks say."""

    def __init__(
        self,
        api_server: str,
        edge_tls: EdgeTLS,
        *,
        resolve: prober.Resolver = prober.system_resolve,
        ask: Callable[..., Awaitable[prober.Outcome]] = prober.probe,
    ) -> None:
        """``api_server`` is its URL: no route's host may lead there. ``ask`` is the probe itself."""
        self._api_servers = (api_server, _API_SERVER)
        self._edge_tls, self._resolve, self._ask = edge_tls, resolve, ask
        self._policy: prober.Policy | None = None

    async def verify(self, check: Check) -> Verification:
        """Return the outcome of a check."""
        if not check.at_edge:
            outcome = await self._ask_backend(check)
            return Verification(check, outcome.reachable, outcome.reason, outcome.message)
        outcome, backend = await self._ask_edge(check)
        at_service = backend.reason if backend is not None else None
        return Verification(check, outcome.reachable, outcome.reason, outcome.message, at_service)

    async def _ask_edge(self, check: Check) -> tuple[prober.Outcome, prober.Outcome | None]:
        """Return the outcome to be told and, after a failure, that of the Service."""
        path = check.page_prefix + check.root_path
        edge = await self._ask(
            prober.Target(check.edge_url, path, at_edge=True),
            allow=self._policy or await self._find_policy(),
            tls=self._edge_tls.context(),
        )
        if edge.reachable:
            return edge, None
        backend = await self._ask_backend(check) if check.base_url else None
        return prober.told_from_both_sides(f"{check.edge_url}{path}/", edge, backend), backend

    async def _find_policy(self) -> prober.Policy:
        """Return the rules for hosts of routes; they are kept once all names of the API server have been resolved."""
        found: set[prober.IPAddress] = set()
        is_complete = True
        for url in self._api_servers:
            parts = urlsplit(url)
            try:
                texts = await self._resolve(parts.hostname or "", parts.port or 443)
                found.update(ipaddress.ip_address(text) for text in texts)
            except (OSError, ValueError):
                is_complete = False
        policy = prober.edge_policy(frozenset(found))
        if is_complete:
            self._policy = policy
        return policy

    async def _ask_backend(self, check: Check) -> prober.Outcome:
        target = prober.Target(check.base_url, check.root_path, check.page_prefix)
        outcome = await self._ask(target)
        return outcome if outcome.reachable else await prober.explain(target, outcome, ask=self._ask)
