"""Rollouts of Argo Rollouts as JSON.

Sources in github.com/argoproj/argo-rollouts v1.10.2: ``utils/rollout/rolloututil.go`` (the phase of a rollout),
``rollout/sync.go``, ``rollout/canary.go`` and ``rollout/bluegreen.go`` (the counters, and when a release is promoted),
``rollout/templateref.go`` (``spec.workloadRef``).
"""

from __future__ import annotations

from msgspec import field

from chainlit_operator.domain import model
from chainlit_operator.kinds.shared import pods
from chainlit_operator.kinds.shared.kind import WorkloadKind
from chainlit_operator.kube.codec import Anything, ApiStruct
from chainlit_operator.object_ref import Ref

#: More than any generation.
_ANY = 1 << 62
_PROMOTE = "Promote it or abort it (kubectl argo rollouts promote {0}), or wait for the end of its pause."


class _WorkloadRef(ApiStruct):
    api_version: str = ""
    kind: str = ""
    name: str = ""

    @property
    def is_followed(self) -> bool:
        """Whether the operator writes to the object."""
        return self.kind == "Deployment" and self.api_version.startswith("apps/")


class _Canary(ApiStruct):
    canary_service: str = ""
    stable_service: str = ""
    traffic_routing: Anything | None = None


class _BlueGreen(ApiStruct):
    active_service: str = ""
    preview_service: str = ""


class _Strategy(ApiStruct):
    canary: _Canary | None = None
    blue_green: _BlueGreen | None = None

    @property
    def switches_requests(self) -> bool:
        """Whether requests change from one release to the next, whatever the numbers of pods are."""
        return self.blue_green is not None or (self.canary is not None and self.canary.traffic_routing is not None)

    @property
    def trial_services(self) -> tuple[str, ...]:
        """The Services that lead to a release on trial alone."""
        canary, colours = self.canary or _Canary(), self.blue_green or _BlueGreen()
        pairs = (canary.canary_service, canary.stable_service), (colours.preview_service, colours.active_service)
        return tuple(trial for trial, stable in pairs if trial and stable and trial != stable)


class _Spec(pods.WorkloadSpec):
    paused: bool = False
    strategy: _Strategy = field(default_factory=_Strategy)
    workload_ref: _WorkloadRef | None = None


class _Weight(ApiStruct):
    weight: int = 0
    pod_template_hash: str = ""


class _Weights(ApiStruct):
    canary: _Weight = field(default_factory=_Weight)


class _CanaryStatus(ApiStruct):
    weights: _Weights | None = None


class _PauseCondition(ApiStruct):
    reason: str = ""


class _Status(pods.PodCounters):
    #: A number as text; a hash in releases before 0.10, which gives 0.
    observed_generation: str = ""
    #: The generation of the Deployment of ``spec.workloadRef``.
    workload_observed_generation: str = ""
    phase: str = ""
    message: str = ""
    current_pod_hash: str = ""
    stable: str = field(default="", name="stableRS")
    pause_conditions: list[_PauseCondition] = field(default_factory=list)
    canary: _CanaryStatus = field(default_factory=_CanaryStatus)

    @property
    def is_promoted(self) -> bool:
        """Whether every request goes to the present release.

        After a return to the stable release, requests go to the canary until its weight is 0.
        """
        weight = self.canary.weights.canary if self.canary.weights is not None else _Weight()
        is_left = weight.weight == 0 or weight.pod_template_hash == self.current_pod_hash
        return bool(self.stable) and self.stable == self.current_pod_hash and is_left

    @property
    def failure(self) -> str:
        """Why the rollout has failed; empty if it has not. Releases before 1.0 have no phase."""
        aborted = self.message_of("RolloutAborted", "ProgressDeadlineExceeded")
        text = (self.message or "It is Degraded") if self.phase == "Degraded" else aborted
        return f"{text.rstrip('. ')}." if text else ""


class Rollout(pods.WorkloadForm):
    """A Rollout (argoproj.io/v1alpha1)."""

    spec: _Spec = field(default_factory=_Spec)
    status: _Status = field(default_factory=_Status)

    def rollout(self, generation: int) -> model.Rollout:
        """Return the state of the rollout.

        Where requests switch, pods of the former release wait for ``scaleDownDelaySeconds`` after the promotion and
        get no requests, so they do not count.
        """
        spec, status = self.spec, self.status
        observed = _number(status.observed_generation)
        if spec.workload_ref is not None:
            observed, generation = _number(status.workload_observed_generation), _ANY
        waits = spec.strategy.switches_requests and status.is_promoted
        paused_by, resumed_by = self._pause()
        return model.Rollout(
            observed_generation=min(observed, generation),
            desired=spec.replicas,
            total=status.updated_replicas if waits else status.replicas,
            updated=status.updated_replicas,
            available=status.available_replicas,
            failure=status.failure,
            paused_by=paused_by,
            resumed_by=resumed_by,
        )

    def _pause(self) -> tuple[str, str]:
        """What keeps pods of a former template, and the sentence that says how they go; empty for nothing."""
        default = model.Rollout()
        if self.spec.paused:
            return "spec.paused true", default.resumed_by
        reason = next((found.reason for found in self.status.pause_conditions), "")
        if not reason:
            return "", default.resumed_by
        return f"a pause of its strategy ({reason})", _PROMOTE.format(self.metadata.name)

    def trial_services(self) -> tuple[str, ...]:
        """Return the Services for the canary and for the preview."""
        return self.spec.strategy.trial_services

    def pod_source(self) -> Ref | None:
        """Return the Deployment of ``spec.workloadRef``."""
        ref = self.spec.workload_ref
        return Ref("Deployment", self.metadata.namespace, ref.name) if ref is not None and ref.is_followed else None

    def missing_template(self) -> str:
        """Return why the pod template is not in the Rollout: it is that of another object."""
        ref = self.spec.workload_ref
        if ref is None:
            return ""
        takes = f"Rollout {self.metadata.name} takes its pod template from {ref.kind} {ref.name} (spec.workloadRef)"
        if ref.is_followed:
            return f"{takes}, which does not exist. Create it, or correct the name."
        return f"{takes}, and the operator writes only to a Deployment of apps/v1. Let spec.workloadRef name one."


def _number(text: str) -> int:
    """The number of a generation as text; 0 for any other text."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


KIND = WorkloadKind(
    kind="Rollout",
    group="argoproj.io",
    version="v1alpha1",
    plural="rollouts",
    decode=pods.workload_decoder(Rollout, pods.Facts("Rollout", "argoproj.io/v1alpha1", is_patched=True)),
    purpose=(
        "A Rollout (Argo Rollouts) runs the app. patch sets the root path and the probe paths, and releases their "
        "ownership (JSON patch both)."
    ),
    is_optional=True,
)
