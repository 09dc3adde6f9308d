"""The verifier: probes an app through its Service, or at the URL of its route.

After a failure at the URL it also probes the Service. So it knows on which side of the Service the cause is.
"""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from urllib.parse import urlsplit

from chainlit_operator.domain.model import Check, Verification
from chainlit_operator.verification.edge_tls import EdgeTLS
from chainlit_operator.verification.prober import (
    IPAddress,
    Outcome,
    Policy,
    Prober,
    Target,
    edge_policy,
    explain_release,
    explain_side,
)

#: The API server's name inside every cluster, whatever address the operator uses.
_API_SERVER = "https://kubernetes.default.svc"


class Verifier:
    """Carries out checks."""

    def __init__(self, api_server: str, edge_tls: EdgeTLS, prober: Prober | None = None) -> None:
        """``api_server`` is the URL that the operator uses: no host of a route may lead there.

        ``prober`` probes Services. At the edge a copy of it has stricter rules for addresses, and other TLS settings.
        """
        self._api_servers = (api_server, _API_SERVER)
        self._edge_tls = edge_tls
        self._prober = prober or Prober()
        self._edge_policy: Policy | None = None

    async def verify(self, check: Check) -> Verification:
        """Return the outcome of a check."""
        backend = None
        if check.at_edge:
            outcome = await self._probe_edge(check)
            if not outcome.reachable:
                backend = await self._probe_backend(check) if check.base_url else None
                outcome = explain_side(outcome, backend)
        else:
            outcome = await self._probe_backend(check)
        at_service = backend.reason if backend is not None else None
        return Verification(check, outcome.reachable, outcome.reason, outcome.message, at_service)

    async def policy(self) -> Policy:
        """Return the rules for addresses that a tenant can choose: those of the edge."""
        return self._edge_policy or await self._find_edge_policy()

    async def _probe_edge(self, check: Check) -> Outcome:
        prober = replace(self._prober, allow=await self.policy(), tls=self._edge_tls.context())
        return await prober.probe(Target(check.edge_url, check.page_prefix + check.root_path, at_edge=True))

    async def _probe_backend(self, check: Check) -> Outcome:
        target = Target(check.base_url, check.root_path, check.page_prefix)
        outcome = await self._prober.probe(target)
        return outcome if outcome.reachable else await explain_release(self._prober, target, outcome)

    async def _find_edge_policy(self) -> Policy:
        """Return the rules for hosts of routes; they are kept once all names of the API server have been resolved."""
        found: set[IPAddress] = set()
        is_complete = True
        for url in self._api_servers:
            parts = urlsplit(url)
            try:
                texts = await self._prober.resolve(parts.hostname or "", parts.port or 443)
                found.update(ipaddress.ip_address(text) for text in texts)
            except (OSError, ValueError):
                is_complete = False
        policy = edge_policy(frozenset(found))
        if is_complete:
            self._edge_policy = policy
        return policy
