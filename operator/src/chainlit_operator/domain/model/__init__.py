"""The records of cluster objects: frozen, with only the fields that decisions read.

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
    VerificationMode,
    WorkloadStatus,
)
from chainlit_operator.domain.model.manifest import (
    Manifest,
)
from chainlit_operator.domain.model.memory import (
    Basis,
    FieldConflict,
    Memory,
)
from chainlit_operator.domain.model.question import (
    NOBODY,
    Answer,
    Nobody,
    PathAnswer,
    PathKind,
    Pods,
    Question,
    Standing,
    Stands,
)
from chainlit_operator.domain.model.route import (
    AnnotatedRoute,
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
    WebSocketRefusal,
    ingress_class,
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
from chainlit_operator.domain.model.verification import (
    Check,
    Verification,
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
    "NOBODY",
    "AnnotatedRoute",
    "Answer",
    "App",
    "AppSpec",
    "Attachment",
    "Basis",
    "Check",
    "Condition",
    "Container",
    "CreatableObject",
    "Dependency",
    "FieldConflict",
    "Find",
    "Gateway",
    "Labels",
    "Listener",
    "Manifest",
    "Matching",
    "Memory",
    "Middleware",
    "NewGateway",
    "NewIngress",
    "Nobody",
    "Origin",
    "PathAnswer",
    "PathKind",
    "Pods",
    "Precedence",
    "Probe",
    "Question",
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
    "Standing",
    "Stands",
    "Status",
    "Variable",
    "Verification",
    "VerificationMode",
    "WatchedObject",
    "WebSocketRefusal",
    "Workload",
    "WorkloadStatus",
    "ingress_class",
]
