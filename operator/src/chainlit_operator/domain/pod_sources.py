"""Workloads whose pods have the template of another workload: a Rollout with ``spec.workloadRef`` names a Deployment.

Such a Rollout has the progress, and the Deployment has the template, so the operator writes to the Deployment. The
Deployment may have pods of its own: with ``scaleDown: never``, or until Argo Rollouts has scaled it to 0.
"""

from __future__ import annotations

from dataclasses import replace

from chainlit_operator.domain.model import Rollout, Workload


def completed(workload: Workload, source: Workload | None) -> Workload:
    """Return a workload with the template of ``source``, its pod source; None where that does not exist.

    All but the reference, the progress and the Services is that of the source, so a write of the workload is one of the
    source.
    """
    if workload.pod_source is None or source is None:
        return workload
    return replace(
        source,
        ref=workload.ref,
        rollout=_together(workload.rollout, source),
        pod_source=source.ref,
        trial_services=workload.trial_services,
        owned=None,
    )


def _together(rollout: Rollout, source: Workload) -> Rollout:
    """The progress of both: no pod of either may run a former template."""
    own = source.rollout
    has_pods = own.desired > 0
    observed = min(rollout.observed_generation, source.generation)
    return replace(
        rollout,
        observed_generation=min(observed, own.observed_generation) if has_pods else observed,
        total=rollout.total + own.total,
        updated=rollout.updated + own.updated,
        failure=rollout.failure or (own.failure if has_pods else ""),
        paused_by=rollout.paused_by or (own.paused_by if has_pods else ""),
    )
