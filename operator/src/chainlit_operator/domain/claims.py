"""Claims: which of several apps has what only one can have, and which names for its objects an app cannot have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from chainlit_operator.domain.desired import manifests
from chainlit_operator.domain.model import App, CreatableObject
from chainlit_operator.object_ref import Ref


def claimant(apps: Iterable[App]) -> App | None:
    """Return the app that has the workload that all of these name: the oldest; None for no apps."""
    return min(apps, key=lambda app: (app.created, app.ref.name), default=None)


def taken_names(app: App, find: Callable[[Ref], CreatableObject | None]) -> Iterator[Ref]:
    """Yield the objects in the place of those that the app creates, which it did not create."""
    for ref in manifests.refs(app):
        obj = find(ref)
        if obj is not None and (obj.owned is None or obj.owned.uid != app.uid):
            yield ref
