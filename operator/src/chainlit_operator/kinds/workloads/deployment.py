"""Deployments as JSON."""

from __future__ import annotations

from msgspec import field

from chainlit_operator.kinds.shared import pods
from chainlit_operator.kinds.shared.kind import WorkloadKind


class _Spec(pods.WorkloadSpec):
    paused: bool = False

    @property
    def paused_by(self) -> str:
        """The setting that keeps pods of a former template; empty where there is none."""
        return "spec.paused true" if self.paused else ""


class Deployment(pods.Workload):
    """A Deployment (apps/v1)."""

    spec: _Spec = field(default_factory=_Spec)


KIND = WorkloadKind(
    kind="Deployment",
    group="apps",
    version="v1",
    plural="deployments",
    decode=pods.workload_decoder(Deployment, pods.Facts("Deployment", "apps/v1")),
    purpose=(
        "A Deployment runs the app. patch sets the root path and the probe paths (server-side apply) and releases "
        "their ownership (JSON patch); those of spec.workload.template are also created, changed and deleted."
    ),
    is_created=True,
)
