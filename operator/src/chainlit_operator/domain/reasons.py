"""The words of the API: condition types and reasons, each used in status, Events, logs, metrics and docs alike."""

from __future__ import annotations

from enum import StrEnum


class ConditionType(StrEnum):
    """``status.conditions[].type`` of a ChainlitApp; ``Ready`` sums the others up."""

    ROUTE_RESOLVED = "RouteResolved"
    ALIGNED = "Aligned"
    SESSION_AFFINITY = "SessionAffinity"
    WEBSOCKET_REACHABLE = "WebSocketReachable"
    READY = "Ready"


class Reason(StrEnum):
    """``status.conditions[].reason``: one CamelCase word for each outcome."""

    # RouteResolved
    RESOLVED = "Resolved"
    KIND_DISABLED = "KindDisabled"
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
    REDIRECTED_BY_ROUTE = "RedirectedByRoute"
    CONDITIONAL_MATCH = "ConditionalMatch"
    BACKEND_SHARED = "BackendShared"
    PATH_SHADOWED = "PathShadowed"
    PATH_CLAIMED = "PathClaimed"
    ROUTE_NOT_ACCEPTED = "RouteNotAccepted"
    REFERENCE_NOT_GRANTED = "ReferenceNotGranted"
    SERVICE_AMBIGUOUS = "ServiceAmbiguous"
    NAME_TAKEN = "NameTaken"
    STATED_URL_INVALID = "StatedURLInvalid"
    STATED_URL_NOT_SERVED = "StatedURLNotServed"

    # Aligned
    ALIGNED = "Aligned"
    KEPT = "Kept"
    ROUTE_NOT_RESOLVED = "RouteNotResolved"
    WORKLOAD_NOT_FOUND = "WorkloadNotFound"
    CONTAINER_NOT_FOUND = "ContainerNotFound"
    CONTAINER_AMBIGUOUS = "ContainerAmbiguous"
    PORT_NOT_FOUND = "PortNotFound"
    VARIABLE_FROM_SOURCE = "VariableFromSource"
    ROOT_PATH_IN_COMMAND = "RootPathInCommand"
    WORKLOAD_CLAIMED = "WorkloadClaimed"
    TEMPLATE_ELSEWHERE = "TemplateElsewhere"
    FIELD_CONTESTED = "FieldContested"
    FORBIDDEN = "Forbidden"
    APPLY_REFUSED = "ApplyRefused"
    SUSPENDED = "Suspended"
    MOUNTED = "Mounted"

    # SessionAffinity
    SINGLE_POD = "SinglePod"
    STICKY = "Sticky"
    STATED_EXTERNAL = "StatedExternal"
    NOT_STICKY = "NotSticky"
    SEVERAL_WORKERS = "SeveralWorkers"
    WORKERS_NOT_KNOWN = "WorkersNotKnown"
    AFFINITY_NOT_KNOWN = "AffinityNotKnown"

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
    EDGE_NOT_JUDGED = "EdgeNotJudged"

    # WebSocketReachable, found by questions to pods
    ROOT_PATH_IN_IMAGE = "RootPathInImage"
    MOUNT_PATH_MISSING = "MountPathMissing"
    PROBE_PATH_NOT_FOUND = "ProbePathNotFound"
    NOTHING_LISTENS = "NothingListens"

    # WebSocketReachable, found by the prober; only VERIFIED means that the app can be used
    VERIFIED = "Verified"
    TARGET_INVALID = "TargetInvalid"
    DNS_LOOKUP_FAILED = "DNSLookupFailed"
    ADDRESS_FORBIDDEN = "AddressForbidden"
    CONNECTION_REFUSED = "ConnectionRefused"
    CONNECTION_TIMED_OUT = "ConnectionTimedOut"
    CONNECTION_LOST = "ConnectionLost"
    PLAIN_TEXT_REFUSED = "PlainTextRefused"
    HOST_UNREACHABLE = "HostUnreachable"
    TLS_FAILED = "TLSFailed"
    CERTIFICATE_EXPIRED = "CertificateExpired"
    CERTIFICATE_NAME_MISMATCH = "CertificateNameMismatch"
    CERTIFICATE_NOT_TRUSTED = "CertificateNotTrusted"
    HANDSHAKE_NOT_FOUND = "HandshakeNotFound"
    HANDSHAKE_IS_HTML = "HandshakeIsHTML"
    HANDSHAKE_REFUSED = "HandshakeRefused"
    HANDSHAKE_MALFORMED = "HandshakeMalformed"
    SESSION_LOST = "SessionLost"
    UPGRADE_REFUSED = "UpgradeRefused"
    PAGE_NOT_FOUND = "PageNotFound"
    PAGE_REFUSED = "PageRefused"
    PAGE_MALFORMED = "PageMalformed"
    ASSETS_MISSING = "AssetsMissing"
    PROJECT_SETTINGS_FAILED = "ProjectSettingsFailed"
    SOCKET_AT_DOUBLED_SLASH = "SocketAtDoubledSlash"
    ROOT_PATH_IN_PAGE_ONLY = "RootPathInPageOnly"
    ROOT_PATH_IGNORED = "RootPathIgnored"
    PARENT_ROOT_PATH_IGNORED = "ParentRootPathIgnored"
    REDIRECTED = "Redirected"
    RESPONSE_TOO_LARGE = "ResponseTooLarge"
    TIMED_OUT = "TimedOut"
    SERVER_ERROR = "ServerError"
    PROBE_FAILED = "ProbeFailed"

    # Ready
    READY = "Ready"
    URL_NOT_STATED = "URLNotStated"

    # Events alone
    TOOK_OVER = "TookOver"
    CREATED = "Created"
    UPDATED = "Updated"
    REPAIRED = "Repaired"
    RELEASED = "Released"
    DELETED = "Deleted"


#: Reasons of a verification that mean that the app answers, but at another path.
ELSEWHERE = frozenset(
    {
        *(Reason.PARENT_ROOT_PATH_IGNORED, Reason.HANDSHAKE_NOT_FOUND, Reason.HANDSHAKE_IS_HTML),
        *(Reason.PAGE_NOT_FOUND, Reason.PAGE_MALFORMED, Reason.ASSETS_MISSING),
        *(Reason.SOCKET_AT_DOUBLED_SLASH, Reason.ROOT_PATH_IN_PAGE_ONLY, Reason.ROOT_PATH_IGNORED),
    }
)
