"""Leases as JSON, both ways (coordination.k8s.io/v1)."""

from __future__ import annotations

from typing import Any

from msgspec import field

from chainlit_operator.domain import election, model
from chainlit_operator.engine.wire.base import Meta, Wire


class _LeaseSpec(Wire):
    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    lease_transitions: int | None = None
    acquire_time: str | None = None


class Lease(Wire):
    """A Lease."""

    metadata: Meta = field(default_factory=Meta)
    spec: _LeaseSpec = field(default_factory=_LeaseSpec)

    def to_domain(self) -> election.Lease:
        """Return the domain's record of it."""
        return election.Lease(
            holder=self.spec.holder_identity or "",
            seconds=float(self.spec.lease_duration_seconds or 0),
            version=self.metadata.resource_version,
            transitions=self.spec.lease_transitions or 0,
            acquired=self.spec.acquire_time or "",
        )


def lease_to_wire(ref: model.Ref, lease: election.Lease, now: str) -> dict[str, Any]:
    """Return the object that says ``lease``; with its version, so that it replaces that one only."""
    metadata = {"namespace": ref.namespace, "name": ref.name}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": metadata | ({"resourceVersion": lease.version} if lease.version else {}),
        "spec": {
            "holderIdentity": lease.holder,
            "leaseDurationSeconds": round(lease.seconds),
            "leaseTransitions": lease.transitions,
            "acquireTime": lease.acquired or now,
            "renewTime": now,
        },
    }
