"""Claims: the one app that may change a workload, and the names that are taken for objects that an app creates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from chainlit_operator.domain.desired import manifests
from chainlit_operator.domain.model import App, CreatableObject
from chainlit_operator.object_ref import Ref


def claimant(apps: Iterable[App]) -> App | None:
    """Return the one of these apps that may change the workload that all of them name: the oldest. None for no apps."""
    return min(apps, key=lambda app: (app.created, app.ref.name), default=None)


def taken_names(app: App, find: Callable[[Ref], CreatableObject | None]) -> Iterator[Ref]:
    """Yield each object that has the name of an object that the app creates, but that the app did not create."""
    for ref in manifests.refs(app):
        obj = find(ref)
        if obj is not None and (obj.owned is None or obj.owned.uid != app.uid):
            yield ref
