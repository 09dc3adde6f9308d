"""The snapshot: all that one decision about one app reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from chainlit_operator.domain.field_managers import FIELD_MANAGER
from chainlit_operator.domain.model.app import App, VerificationMode
from chainlit_operator.domain.model.manifest import Manifest
from chainlit_operator.domain.model.memory import Memory
from chainlit_operator.domain.model.question import NOBODY, Answer, Question
from chainlit_operator.domain.model.route import DependencyObject, Route
from chainlit_operator.domain.model.service import Service, ServiceAccount
from chainlit_operator.domain.model.verification import Verification
from chainlit_operator.domain.model.workload import Workload
from chainlit_operator.domain.reasons import ELSEWHERE
from chainlit_operator.object_ref import Ref

WatchedObject = Workload | Service | ServiceAccount | Route | DependencyObject
"""An object that the operator watches. Others own it, unless ``owned`` says that a ChainlitApp created it."""
CreatableObject = Workload | Service | ServiceAccount | Route
"""An object of a kind that the operator can create."""


class Effect(StrEnum):
    """What a path of another route does to an app at a route key."""

    CLAIM = "claim"
    """It has the same place."""
    SHADOW = "shadow"
    """It is one of Chainlit's own routes below the place, so it is longer."""
    COVER = "cover"
    """It is a shorter path, or a regular expression, that takes requests below the place. It wins by its priority, or
    because its text is longer."""
    PART = "part"
    """It takes only some of the requests: those with a header, or a share of all."""


class Winner(StrEnum):
    """Which of two routes gets the requests that both match."""

    OTHER = "other"
    """The other route, so the app loses them."""
    UNCERTAIN = "uncertain"
    """The operator does not know."""
    OWN = "own"
    """The app's route, so it keeps them."""


@dataclass(frozen=True, slots=True)
class RouteConflict:
    """A path of another route that is in conflict with a path of this app, and leads elsewhere.

    ``app`` is the ChainlitApp behind the path. Where there is none, it is None, and ``service`` is the Service
    (``""``: none, or a redirect). ``host`` and ``path`` are those of the other route, ``prefix`` is the path in normal
    form. ``condition`` says what a request must have for the path to match, and is empty for nothing. ``created`` is
    the time of creation by which the edge or the operator chooses. ``why`` says why the other route takes or may take
    the requests.
    """

    route: Ref
    host: str
    path: str
    prefix: str
    effect: Effect
    winner: Winner
    app: Ref | None = None
    service: str = ""
    created: str = ""
    condition: str = ""
    why: str = ""

    @property
    def is_canary(self) -> bool:
        """Whether it takes a share of all requests for the path."""
        return self.effect is Effect.PART and not self.condition


class Companion(NamedTuple):
    """Another workload that has pods behind a Service of the app; ``port_names`` are those of its containers.

    ``pod_source`` is the workload whose pod template it has, None for its own.
    """

    service: str
    workload: Ref
    port_names: frozenset[str]
    pod_source: Ref | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that one decision about one app reads.

    The objects that the app creates are in it as they will be after this reconcile. ``workload`` is the one that the
    app names or creates. ``services`` are the Services that select its pods, and ``companions`` other workloads with
    pods behind them, each with the name of such a Service.

    ``routes`` are composed, and sorted by name: the route that the app names or creates or, in discovery, all routes to
    ``services``. ``missing_services`` are the names in routes for which no Service exists; it is empty unless
    ``services`` is. ``conflicts`` are paths of other routes at the same places, or at Chainlit's own routes below them,
    oldest first.

    ``manifests`` are the objects to create beside the workload, in order. ``owned`` are the existing objects that the
    app created. ``taken`` are objects of other owners that have the names of objects to create. ``template_fault`` is
    the fault of the pod template in ``spec.workload.template``, empty for none. ``claimed_by`` is the name of an older
    app with the same workload. ``same_login`` is another app on the same host whose login cookie has the same name.

    ``answers`` are those of pods to the questions of the decision before. ``verification`` is the latest result for the
    app, ``memory`` the operator's own writes. ``is_verified`` is False where verification is off for the whole
    operator. ``monotonic`` is the time in seconds of the clock that ``memory`` uses, ``now`` the wall clock's (RFC
    3339). ``watched`` are the namespaces that the operator watches, empty for all, ``disabled_kinds`` the kinds that it
    does not read.
    """

    app: App
    workload: Workload | None
    services: tuple[Service, ...] = ()
    companions: tuple[Companion, ...] = ()
    routes: tuple[Route, ...] = ()
    missing_services: frozenset[str] = field(default_factory=frozenset)
    conflicts: tuple[RouteConflict, ...] = ()
    manifests: tuple[Manifest, ...] = ()
    owned: tuple[CreatableObject, ...] = ()
    taken: tuple[Ref, ...] = ()
    template_fault: str = ""
    claimed_by: str = ""
    same_login: Ref | None = None
    answers: Mapping[Question, Answer] = field(default_factory=dict)
    verification: Verification | None = None
    memory: Memory = field(default_factory=Memory)
    is_verified: bool = True
    watched: tuple[str, ...] = ()
    disabled_kinds: frozenset[str] = frozenset()
    monotonic: float = 0.0
    now: str = ""

    @property
    def verification_mode(self) -> VerificationMode:
        """How the app is verified, with regard to the operator's own setting."""
        return self.app.spec.verification if self.is_verified else VerificationMode.DISABLED

    @property
    def is_written(self) -> bool:
        """Whether the operator has written to the workload: its managed fields or, after a patch, the status say so."""
        workload, known = self.workload, self.app.status.workload
        if workload is None:
            return False
        patched = known.written_uid if known is not None else ""
        return FIELD_MANAGER in workload.field_managers or (patched != "" and patched == workload.uid)

    @property
    def answers_elsewhere(self) -> bool:
        """Whether a verification has found that the present pods answer at another path."""
        found, workload = self.verification, self.workload
        if found is None or workload is None or found.reachable or found.app_reason not in ELSEWHERE:
            return False
        return (found.check.uid, found.check.generation) == (workload.uid, workload.generation)

    def answer(self, question: Question) -> Answer | None:
        """Return the answer to a question; None until there is one. With verification off nobody answers."""
        return NOBODY if self.verification_mode is VerificationMode.DISABLED else self.answers.get(question)
