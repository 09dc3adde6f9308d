"""The snapshot: all that one decision about one app reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chainlit_operator.domain.model.app import App, VerificationMode
from chainlit_operator.domain.model.manifest import Manifest
from chainlit_operator.domain.model.memory import Memory
from chainlit_operator.domain.model.question import NOBODY, Answer, Question
from chainlit_operator.domain.model.route import DependencyObject, Route
from chainlit_operator.domain.model.service import Service, ServiceAccount
from chainlit_operator.domain.model.verification import Verification
from chainlit_operator.domain.model.workload import Workload
from chainlit_operator.object_ref import Ref

WatchedObject = Workload | Service | ServiceAccount | Route | DependencyObject
"""An object that the operator watches. Others own it, unless ``owned`` says that a ChainlitApp created it."""
CreatableObject = Workload | Service | ServiceAccount | Route
"""An object of a kind that the operator can create."""


@dataclass(frozen=True, slots=True)
class RouteConflict:
    """Another app behind other Services, with a path that is in conflict with a path of this app in one listener group.

    ``host`` and ``path`` are those of the other app's route, ``prefix`` is the path in normal form.
    """

    ref: Ref
    created: str
    route: Ref
    host: str
    path: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that one decision about one app reads.

    The objects that the app creates are in it as they will be after this reconcile. ``workload`` is the one that the
    app names or creates. ``services`` are the Services that select its pods, and ``companions`` other workloads with
    pods behind them, each with the name of such a Service.

    ``routes`` are composed, and sorted by name: the route that the app names or creates or, in discovery, all routes to
    ``services``. ``missing_services`` are the names in routes for which no Service exists; it is empty unless
    ``services`` is. ``conflicts`` are other apps at the same paths, or at Chainlit's own routes below them, oldest
    first.

    ``manifests`` are the objects to create beside the workload, in order. ``owned`` are the existing objects that the
    app created. ``taken`` are objects of other owners that have the names of objects to create. ``template_fault`` is
    the fault of the pod template in ``spec.workload.template``, empty for none. ``claimed_by`` is the name of an older
    app with the same workload.

    ``answers`` are those of pods to the questions of the decision before. ``verification`` is the latest result for the
    app, ``memory`` the operator's own writes. ``is_verified`` is False
    where verification is off for the whole operator. ``monotonic`` is the time in seconds of the clock that ``memory``
    uses, ``now`` the wall clock's (RFC 3339). ``watched`` are the namespaces that the operator watches, empty for all.
    """

    app: App
    workload: Workload | None
    services: tuple[Service, ...] = ()
    companions: tuple[tuple[str, Workload], ...] = ()
    routes: tuple[Route, ...] = ()
    missing_services: frozenset[str] = field(default_factory=frozenset)
    conflicts: tuple[RouteConflict, ...] = ()
    manifests: tuple[Manifest, ...] = ()
    owned: tuple[CreatableObject, ...] = ()
    taken: tuple[Ref, ...] = ()
    template_fault: str = ""
    claimed_by: str = ""
    answers: Mapping[Question, Answer] = field(default_factory=dict)
    verification: Verification | None = None
    memory: Memory = field(default_factory=Memory)
    is_verified: bool = True
    watched: tuple[str, ...] = ()
    monotonic: float = 0.0
    now: str = ""

    @property
    def verification_mode(self) -> VerificationMode:
        """How the app is verified, with regard to the operator's own setting."""
        return self.app.spec.verification if self.is_verified else VerificationMode.DISABLED

    def answer(self, question: Question) -> Answer | None:
        """Return the answer to a question; None until there is one. With verification off nobody answers."""
        return NOBODY if self.verification_mode is VerificationMode.DISABLED else self.answers.get(question)
