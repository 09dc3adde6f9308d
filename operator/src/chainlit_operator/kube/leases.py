"""Leases as JSON, both ways (coordination.k8s.io/v1)."""

from __future__ import annotations

from typing import Any

from msgspec import field

from chainlit_operator.kube import lease_rules
from chainlit_operator.kube.codec import ApiStruct, Meta
from chainlit_operator.object_ref import Ref


class _LeaseSpec(ApiStruct):
    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    lease_transitions: int | None = None
    acquire_time: str | None = None


class Lease(ApiStruct):
    """A Lease."""

    metadata: Meta = field(default_factory=Meta)
    spec: _LeaseSpec = field(default_factory=_LeaseSpec)

    def to_domain(self) -> lease_rules.Lease:
        """Return the domain's record of it."""
        return lease_rules.Lease(
            holder=self.spec.holder_identity or "",
            seconds=float(self.spec.lease_duration_seconds or 0),
            version=self.metadata.resource_version,
            transitions=self.spec.lease_transitions or 0,
            acquired=self.spec.acquire_time or "",
        )


def encode_lease(ref: Ref, lease: lease_rules.Lease, now: str) -> dict[str, Any]:
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
