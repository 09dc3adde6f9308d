"""Hosts of paths."""

from __future__ import annotations

import pytest

from chainlit_operator.domain import hosts


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("a.example", "a.example", True),
        ("a.example", "b.example", False),
        ("", "a.example", True),
        ("*.example", "a.example", True),
        ("a.example", "*.example", True),
        ("*.example", "example", False),
        ("*.example", "*.b.example", True),
        ("*.example", "*.test", False),
        (hosts.of_expression("^[a-z].example$"), "a.example", True),
        (hosts.of_expression("^[b-z].example$"), "a.example", False),
        (hosts.of_expression("^[b-z].example$"), "*.example", True),
        (hosts.of_expression("^a"), hosts.of_expression("^b"), True),
        (hosts.of_expression("^(?!a)"), "a.example", True),  # not evaluated
    ],
)
def test_hosts_that_share_requests(one: str, other: str, shared: bool) -> None:
    assert hosts.share_host(one, other) is shared
    assert hosts.share_host(other, one) is shared


@pytest.mark.parametrize(
    ("host", "is_name"),
    [("a.example", True), ("", False), ("*.example", False), (hosts.of_expression("a.example"), False)],
)
def test_names(host: str, is_name: bool) -> None:
    assert hosts.is_name(host) is is_name
