"""The words of the API: condition types and reasons, each used in status, Events, logs, metrics and docs alike."""

from __future__ import annotations

from enum import StrEnum


class ConditionType(StrEnum):
    """``status.conditions[].type`` of a ChainlitApp; ``Ready`` sums the others up."""

    ROUTE_RESOLVED = "RouteResolved"
    ALIGNED = "Aligned"
    WEBSOCKET_REACHABLE = "WebSocketReachable"
    READY = "Ready"


class Reason(StrEnum):
    """``status.conditions[].reason``: one CamelCase word for each outcome.

    The prober adds its own outcomes (``chainlit_operator.verification.prober.Reason``) under ``WebSocketReachable``.
    """

    # RouteResolved
    RESOLVED = "Resolved"
    ROUTE_NOT_FOUND = "RouteNotFound"
    ROUTE_AMBIGUOUS = "RouteAmbiguous"
    ROUTE_WITHOUT_BACKEND = "RouteWithoutBackend"
    SERVICE_NOT_FOUND = "ServiceNotFound"
    SEVERAL_PATHS = "SeveralPaths"
    EXACT_PATH = "ExactPath"
    PATH_NOT_SUPPORTED = "PathNotSupported"
    REGULAR_EXPRESSION_PATH = "RegularExpressionPath"
    REWRITE_UNKNOWN = "RewriteUnknown"
    REWRITE_NOT_SUPPORTED = "RewriteNotSupported"
    MIDDLEWARE_NOT_FOUND = "MiddlewareNotFound"
    CONDITIONAL_MATCH = "ConditionalMatch"
    BACKEND_SHARED = "BackendShared"
    PATH_SHADOWED = "PathShadowed"
    PATH_CLAIMED = "PathClaimed"
    ROUTE_NOT_ACCEPTED = "RouteNotAccepted"
    SERVICE_AMBIGUOUS = "ServiceAmbiguous"
    NAME_TAKEN = "NameTaken"

    # Aligned
    ALIGNED = "Aligned"
    ROUTE_NOT_RESOLVED = "RouteNotResolved"
    WORKLOAD_NOT_FOUND = "WorkloadNotFound"
    CONTAINER_NOT_FOUND = "ContainerNotFound"
    CONTAINER_AMBIGUOUS = "ContainerAmbiguous"
    VARIABLE_FROM_SOURCE = "VariableFromSource"
    ROOT_PATH_IN_COMMAND = "RootPathInCommand"
    WORKLOAD_CLAIMED = "WorkloadClaimed"
    FIELD_CONTESTED = "FieldContested"
    FORBIDDEN = "Forbidden"
    APPLY_REFUSED = "ApplyRefused"
    SUSPENDED = "Suspended"
    MOUNTED = "Mounted"

    # WebSocketReachable
    NOT_ALIGNED = "NotAligned"
    ROLLOUT_IN_PROGRESS = "RolloutInProgress"
    ROLLOUT_HELD = "RolloutHeld"
    ROLLOUT_FAILED = "RolloutFailed"
    SCALED_TO_ZERO = "ScaledToZero"
    VERIFICATION_PENDING = "VerificationPending"
    VERIFICATION_DISABLED = "VerificationDisabled"
    SERVICE_WITHOUT_ADDRESS = "ServiceWithoutAddress"
    ROUTE_WITHOUT_ADDRESS = "RouteWithoutAddress"
    WEB_SOCKET_NOT_ENABLED = "WebSocketNotEnabled"
    MOUNT_PATH_NOT_SERVED = "MountPathNotServed"

    # Ready
    READY = "Ready"
