"""Login cookies: apps of one host whose logins end each other.

Chainlit sets its login cookie for the whole host, whatever the root path is. So two apps with a login on one host need
different names of that cookie.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from chainlit_operator.domain.chainlit import AUTH_COOKIE_NAME
from chainlit_operator.domain.model import App, Snapshot, Workload


class LoginCookie(NamedTuple):
    """The login cookie of an app: its host and its name."""

    host: str
    name: str


def login_cookie(app: App, workload: Workload | None) -> LoginCookie | None:
    """Return the login cookie of an app; None without a login, or if its host is not known."""
    status = app.status
    if workload is None or status.url is None or status.workload is None:
        return None
    names = (found.login_cookie for found in workload.containers if found.name == status.workload.container)
    name, host = next(names, ""), urlsplit(status.url).hostname
    return LoginCookie(host, name) if name and host else None


def warning(snapshot: Snapshot) -> str:
    """Return a sentence about another app with the same login cookie; empty if there is none."""
    cookie = login_cookie(snapshot.app, snapshot.workload)
    if cookie is None or snapshot.same_login is None:
        return ""
    return (
        f"{snapshot.same_login} has a login on host {cookie.host}, too, and both login cookies have the name "
        f"{cookie.name}, so a login to one of them ends that to the other. Set {AUTH_COOKIE_NAME} to a name of its own "
        "in one of them."
    )
