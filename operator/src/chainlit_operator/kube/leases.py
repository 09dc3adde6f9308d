"""Leases of coordination.k8s.io/v1: their JSON, both ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from msgspec import field

from chainlit_operator.kube import codec
from chainlit_operator.object_ref import Ref


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """The content of a Lease, as client-go's LeaderElectionRecord.

    ``holder`` is empty after a release, ``lease_duration`` is in seconds, ``acquired`` is RFC 3339 text for people, and
    ``version`` is the resource version, empty for a Lease that does not exist yet.
    """

    holder: str
    lease_duration: int
    version: str = ""
    transitions: int = 0
    acquired: str = ""


class _Spec(codec.ApiStruct):
    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    lease_transitions: int | None = None
    acquire_time: str | None = None


class _Lease(codec.ApiStruct):
    metadata: codec.Meta = field(default_factory=codec.Meta)
    spec: _Spec = field(default_factory=_Spec)


_decode = codec.decoder(_Lease)


def decode(raw: bytes) -> LeaseRecord:
    """Return the record of a Lease; raises msgspec.DecodeError."""
    lease = _decode(raw)
    return LeaseRecord(
        holder=lease.spec.holder_identity or "",
        lease_duration=lease.spec.lease_duration_seconds or 0,
        version=lease.metadata.resource_version,
        transitions=lease.spec.lease_transitions or 0,
        acquired=lease.spec.acquire_time or "",
    )


def encode(ref: Ref, record: LeaseRecord, now: str) -> dict[str, Any]:
    """Return the object of a record that is renewed at ``now`` (RFC 3339).

    A record with a version replaces only that version of the Lease.
    """
    metadata = {"namespace": ref.namespace, "name": ref.name}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": metadata | ({"resourceVersion": record.version} if record.version else {}),
        "spec": {
            "holderIdentity": record.holder,
            "leaseDurationSeconds": record.lease_duration,
            "leaseTransitions": record.transitions,
            "acquireTime": record.acquired or now,
            "renewTime": now,
        },
    }
