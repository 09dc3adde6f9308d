"""What the operator knows of the cluster: frozen records with only the fields that decisions read.

``kinds/`` makes them from API objects; nothing here knows JSON or the network.
"""

from chainlit_operator.domain.model.app import (
    App,
    AppSpec,
    Condition,
    NewGateway,
    NewIngress,
    Rewrite,
    RouteStatus,
    Status,
    Trial,
    TrialOutcome,
    VerificationMode,
    WorkloadStatus,
)
from chainlit_operator.domain.model.route import (
    Attachment,
    Dependency,
    Find,
    Gateway,
    Listener,
    Matching,
    Middleware,
    Origin,
    Precedence,
    Route,
    RoutePath,
)
from chainlit_operator.domain.model.service import (
    Service,
    ServiceAccount,
    ServicePort,
)
from chainlit_operator.domain.model.snapshot import (
    CreatableObject,
    RouteConflict,
    Snapshot,
    WatchedObject,
)
from chainlit_operator.domain.model.workload import (
    Container,
    Labels,
    Probe,
    Rollout,
    Variable,
    Workload,
)

__all__ = [
    "App",
    "AppSpec",
    "Attachment",
    "Condition",
    "Container",
    "CreatableObject",
    "Dependency",
    "Find",
    "Gateway",
    "Labels",
    "Listener",
    "Matching",
    "Middleware",
    "NewGateway",
    "NewIngress",
    "Origin",
    "Precedence",
    "Probe",
    "Rewrite",
    "Rollout",
    "Route",
    "RouteConflict",
    "RoutePath",
    "RouteStatus",
    "Service",
    "ServiceAccount",
    "ServicePort",
    "Snapshot",
    "Status",
    "Trial",
    "TrialOutcome",
    "Variable",
    "VerificationMode",
    "WatchedObject",
    "Workload",
    "WorkloadStatus",
]
