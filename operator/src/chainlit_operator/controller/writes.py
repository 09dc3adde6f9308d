"""Code that all writers share: the test that a write is still wanted, its answer, and its failure for a condition."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chainlit_operator.domain.decide import Failure
from chainlit_operator.domain.model import App, WatchedObject
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.kinds import registry
from chainlit_operator.kube.client import read
from chainlit_operator.kube.errors import ApiError
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import State, decoding


class SupersededError(Exception):
    """The app was changed or deleted after the decision: the remaining writes are no longer wanted."""


class WriteError(Exception):
    """A write of an object that the API server refused; ``verb`` names the write, for example ``patch``."""

    def __init__(self, verb: str, ref: Ref, error: ApiError) -> None:
        super().__init__(error.message)
        self.verb, self.ref, self.error = verb, ref, error


def ensure_current(state: State, app: App) -> None:
    """Raise SupersededError unless the state has the app as the decision saw it."""
    current = state.apps.get(app.ref)
    if current is None or (current.uid, current.generation) != (app.uid, app.generation) or current.is_terminating:
        raise SupersededError(f"{app.ref} has changed")


class Answers:
    """Stores the objects that writes return."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._readers: Mapping[str, Callable[[bytes], WatchedObject]] = {
            name: decoding.decoder(kind, state.find) for name, kind in registry.WATCHED.items()
        }

    def store(self, ref: Ref, answer: bytes, *, is_new: bool = False, quiet: bool = False) -> WatchedObject:
        """Store the object in an answer and return its record; raises ApiError if it cannot be decoded.

        An object that is not in the state is not stored, unless it ``is_new``: the watch may have reported its deletion
        before the answer arrived. ``quiet`` enqueues only apps that share a route key with the object.
        """
        record = read(self._readers[ref.kind], answer)
        if is_new or self._state.find(ref) is not None:
            self._state.upsert(record, quiet=quiet)
        return record


def failure(error: ApiError, ref: Ref, verb: str) -> Failure:
    """Return the failure for the condition; ``verb`` names the write that failed, for example ``patch``."""
    missing = error.missing_verb
    if missing:
        return Failure(
            Reason.FORBIDDEN,
            f"The operator's ServiceAccount may not {missing} {ref.kind} {ref.name} in namespace {ref.namespace}. "
            "Grant this verb; the operator's chart grants it unless rbac.create or creation.enabled is false.",
        )
    if error.is_transient:
        message = f"The API server cannot accept the change to {ref} now, and the operator tries again: {error.message}"
        return Failure(Reason.APPLY_REFUSED, message)
    return Failure(Reason.APPLY_REFUSED, f"The API server refused to {verb} {ref}: {error.message}")
