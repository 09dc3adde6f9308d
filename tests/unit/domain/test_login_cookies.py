"""Login cookies: whose login ends another one's, and the sentence about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests import objects
from tests.records import record
from tests.unit.domain.world import app, assert_plain, container, report_of, snapshot, workload

from chainlit_operator.domain.login_cookies import LoginCookie, login_cookie, warning
from chainlit_operator.domain.model import App, Status, WorkloadStatus
from chainlit_operator.object_ref import Ref


def reached(url: str | None = "https://example.com:8443/chat/", name: str = "chainlit") -> App:
    """An app whose status has that URL and that container."""
    status = Status(url=url, workload=WorkloadStatus("Deployment", "chat", name))
    return replace(app(), status=status)


WITH_LOGIN = workload(container(login_cookie="token"), container(name="proxy", login_cookie="other"))
OTHER = Ref("ChainlitApp", "team", "bot")


@pytest.mark.parametrize(
    ("found", "target", "expected"),
    [
        (reached(), WITH_LOGIN, LoginCookie("example.com", "token")),
        (reached(name="proxy"), WITH_LOGIN, LoginCookie("example.com", "other")),
        (reached(name="gone"), WITH_LOGIN, None),
        (reached(), workload(), None),
        (reached(), None, None),
        (reached(None), WITH_LOGIN, None),
        (app(), WITH_LOGIN, None),
        (replace(reached(), status=replace(reached().status, workload=None)), WITH_LOGIN, None),
    ],
)
def test_login_cookie(found: App, target: Any, expected: LoginCookie | None) -> None:
    assert login_cookie(found, target) == expected


def test_the_warning_is_part_of_the_condition_aligned() -> None:
    given = snapshot(app=reached(), workload=workload(container("/chat", login_cookie="token")), same_login=OTHER)
    expected = (
        "ChainlitApp team/bot has a login on host example.com, too, and both login cookies have the name token, so a "
        "login to one of them ends that to the other. Set CHAINLIT_AUTH_COOKIE_NAME to a name of its own in one of "
        "them."
    )
    assert warning(given) == expected
    aligned = report_of(given).status.condition("Aligned")
    assert aligned is not None and aligned.status == "True" and aligned.message.endswith(f" {expected}")
    assert_plain(expected.replace("CHAINLIT_AUTH_COOKIE_NAME", "The variable"))


def test_without_another_login_there_is_no_warning() -> None:
    assert warning(snapshot(app=reached(), workload=WITH_LOGIN)) == ""
    assert warning(snapshot(app=reached(), same_login=OTHER)) == ""


SECRET: dict[str, Any] = {"valueFrom": {"secretKeyRef": {"name": "chat", "key": "key"}}}


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({}, ""),
        ({"CHAINLIT_AUTH_COOKIE_NAME": "own"}, ""),
        ({"CHAINLIT_AUTH_SECRET": "x"}, "access_token"),
        ({"CHAINLIT_AUTH_SECRET": SECRET}, "access_token"),
        ({"CHAINLIT_AUTH_SECRET": SECRET, "CHAINLIT_AUTH_COOKIE_NAME": "own"}, "own"),
        ({"CHAINLIT_AUTH_SECRET": SECRET, "CHAINLIT_AUTH_COOKIE_NAME": SECRET}, ""),
    ],
)
def test_name_in_a_manifest(env: dict[str, Any], expected: str) -> None:
    made = objects.stored(objects.workload(objects.container(env=env)), "shop")
    (found,) = record(made).containers
    assert found.login_cookie == expected
