"""Deployments as JSON."""

from __future__ import annotations

from msgspec import field

from chainlit_operator.domain import model
from chainlit_operator.kinds.shared import pods
from chainlit_operator.kinds.shared.kind import WorkloadKind

#: The group of Knative Serving, and the label with the name of the Knative Service.
_KNATIVE, _KNATIVE_SERVICE = "serving.knative.dev/", "serving.knative.dev/service"


class _Spec(pods.WorkloadSpec):
    paused: bool = False

    @property
    def paused_by(self) -> str:
        """The setting that keeps pods of a former template; empty where there is none."""
        return "spec.paused true" if self.paused else ""


class Deployment(pods.Workload):
    """A Deployment (apps/v1)."""

    spec: _Spec = field(default_factory=_Spec)

    def template_owner(self, labels: model.Labels) -> str:
        """Return the Knative object that sets the pod template back; empty for a Deployment of any other owner.

        Source: pkg/reconciler/revision in knative.dev/serving makes one Deployment for each Revision, and a Revision
        is never changed after its creation.
        """
        for owner in self.metadata.owner_references:
            if owner.controller and owner.api_version.startswith(_KNATIVE):
                service = dict(labels).get(_KNATIVE_SERVICE)
                return f"Knative Service {service}" if service else f"Knative {owner.kind} {owner.name}"
        return ""


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
