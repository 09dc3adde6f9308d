"""The login cookies of all apps: which of them have the same name on one host."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import NamedTuple

from chainlit_operator.domain.login_cookies import LoginCookie, login_cookie
from chainlit_operator.domain.model import App, WatchedObject, Workload
from chainlit_operator.object_ref import Ref
from chainlit_operator.state.indexes import Indexes
from chainlit_operator.state.store import Store


class _Holder(NamedTuple):
    """An app with a login cookie; the oldest one comes first."""

    created: str
    app: Ref


class LoginCookies:
    """The apps by their login cookies. For each app the first other one decides, as for route keys."""

    def __init__(self, store: Store, indexes: Indexes) -> None:
        self._store, self._indexes = store, indexes
        self._holders: dict[LoginCookie, list[_Holder]] = {}
        self._cookies: dict[Ref, tuple[LoginCookie, _Holder]] = {}

    def __len__(self) -> int:
        return len(self._holders) + len(self._cookies)

    def other(self, app: Ref) -> Ref | None:
        """Return the oldest other app with the login cookie of this app; None if there is none."""
        cookie, _ = self._cookies.get(app, (None, None))
        holders = self._holders[cookie] if cookie is not None else []
        return next((holder.app for holder in holders[:2] if holder.app != app), None)

    def update(self, old: App | WatchedObject | None, new: App | WatchedObject | None) -> set[Ref]:
        """Update the cookies after a change; returns the apps for which another one decides now.

        The store and the indexes must have the change already.
        """
        changed: set[Ref] = set()
        for ref in {ref for obj in (old, new) for ref in self._apps_of(obj)}:
            before = self.other(ref)
            changed |= self._move(ref, self._wanted(ref))
            if before != self.other(ref):
                changed.add(ref)
        return changed

    def _apps_of(self, obj: App | WatchedObject | None) -> set[Ref]:
        if isinstance(obj, App):
            return {obj.ref}
        return set(self._indexes.apps_by_workload[obj.ref]) if isinstance(obj, Workload) else set()

    def _wanted(self, ref: Ref) -> tuple[LoginCookie, _Holder] | None:
        app = self._store.apps.get(ref)
        cookie = login_cookie(app, self._store.workload(app.workload)) if app is not None else None
        return None if app is None or cookie is None else (cookie, _Holder(app.created, ref))

    def _move(self, ref: Ref, wanted: tuple[LoginCookie, _Holder] | None) -> set[Ref]:
        """Give an app another cookie, and return the other apps that this concerns."""
        former = self._cookies.get(ref)
        if former == wanted:
            return set()
        changed: set[Ref] = set()
        if former is not None:
            cookie, holder = former
            del self._cookies[ref]
            holders = self._holders[cookie]
            at = bisect_left(holders, holder)
            del holders[at]
            changed |= _concerned(holders, at)
            if not holders:
                del self._holders[cookie]
        if wanted is not None:
            cookie, holder = wanted
            self._cookies[ref] = wanted
            holders = self._holders.setdefault(cookie, [])
            changed |= _concerned(holders, bisect_left(holders, holder))
            insort(holders, holder)
        return changed


def _concerned(others: list[_Holder], at: int) -> set[Ref]:
    """The apps among the others for which an app at this position of the list is the first other one."""
    if at == 0:
        return {holder.app for holder in others}
    return {others[0].app} if at == 1 else set()
