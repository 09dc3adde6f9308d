"""StatefulSets as JSON."""

from __future__ import annotations

from msgspec import field

from chainlit_operator.kinds.shared import pods
from chainlit_operator.kinds.shared.kind import WorkloadKind
from chainlit_operator.kube.codec import ApiStruct


class _RollingUpdate(ApiStruct):
    partition: int = 0


class _UpdateStrategy(ApiStruct):
    type: str = ""
    rolling_update: _RollingUpdate | None = None


class _Spec(pods.WorkloadSpec):
    update_strategy: _UpdateStrategy | None = None

    @property
    def paused_by(self) -> str:
        """The setting that keeps pods of a former template; empty where there is none."""
        strategy = self.update_strategy or _UpdateStrategy()
        if strategy.type == "OnDelete":
            return "spec.updateStrategy.type OnDelete"
        partition = strategy.rolling_update.partition if strategy.rolling_update is not None else 0
        return f"spec.updateStrategy.rollingUpdate.partition {partition}" if partition > 0 else ""


class StatefulSet(pods.Workload):
    """A StatefulSet (apps/v1)."""

    spec: _Spec = field(default_factory=_Spec)


KIND = WorkloadKind(
    kind="StatefulSet",
    group="apps",
    version="v1",
    plural="statefulsets",
    decode=pods.workload_decoder(
        StatefulSet,
        pods.Facts(
            "StatefulSet",
            "apps/v1",
            "A StatefulSet does not replace a pod that never became ready: delete such a pod yourself.",
        ),
    ),
    purpose=(
        "A StatefulSet runs the app. patch sets the root path and the probe paths (server-side apply) and releases "
        "their ownership (JSON patch). Without create, an apply cannot create a deleted one again."
    ),
)
