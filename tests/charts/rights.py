"""The operator's rights by the registry of kinds. Those for its own API and for Events are written here."""

from __future__ import annotations

from chainlit_operator.kinds import registry
from chainlit_operator.kinds.shared.kind import Kind, WorkloadKind

Rights = dict[tuple[str, str], set[str]]

READ = {"list", "watch"}
WRITTEN = {"create", "patch", "delete"}


def _rights(kind: Kind, *, creation: bool) -> set[str]:
    if kind.is_created and creation:
        return READ | WRITTEN
    return READ | ({"patch"} if isinstance(kind, WorkloadKind) else set())


def _all(*, creation: bool) -> Rights:
    own: Rights = {
        ("chainlit-operator.dev", "chainlitapps"): READ,
        ("chainlit-operator.dev", "chainlitapps/status"): {"patch", "update"},
        ("", "events"): {"create"},
    }
    own |= {(kind.group, kind.plural): {"list"} for kind in registry.LISTED.values()}
    watched = registry.WATCHED.values()
    return own | {(kind.group, kind.plural): _rights(kind, creation=creation) for kind in watched}


WITHOUT_CREATION: Rights = _all(creation=False)
#: With ``creation.enabled``.
WITH_CREATION: Rights = _all(creation=True)
