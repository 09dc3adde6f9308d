"""Places: the parts of a stated URL, and which of several places counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.domain.world import app, container, workload

from chainlit_operator.domain.model import Rewrite, Status, Variable
from chainlit_operator.domain.place import (
    Place,
    Source,
    StatedURL,
    place_of,
    possible_prefixes,
    stated_place,
    stated_url,
    without_mount,
)

URL = "https://example.com/chat"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("https://example.com/chat", StatedURL("s://example.com", "example.com", "/chat")),
        ("http://example.com", StatedURL("://example.com", "example.com", "")),
        ("http://example.com/", StatedURL("://example.com", "example.com", "")),
        ("https://example.com:8443/a/b/", StatedURL("s://example.com:8443", "example.com", "/a/b")),
        ("http://192.0.2.7:30080/chat", StatedURL("://192.0.2.7:30080", "192.0.2.7", "/chat")),
        ("https://[2001:db8::1]:8443/", StatedURL("s://[2001:db8::1]:8443", "[2001:db8::1]", "")),
        ("http://a/b", StatedURL("://a", "a", "/b")),
        ("https://example.com/a b", StatedURL("s://example.com", "example.com", "/a b")),
        ("", None),
        ("example.com/chat", None),
        ("ftp://example.com/chat", None),
        ("https:///chat", None),
        ("https://user@example.com/", None),
        ("https://user:word@example.com/", None),
        ("https://example.com/chat?x=1", None),
        ("https://example.com/chat#top", None),
        ("https://example.com?x=1", None),
        ("https://example.com:port/", None),
        ("https://example.com:123456/", None),
        ("https://example.com-/", None),
        (" https://example.com/", None),
        ("https://exa mple.com/", None),
    ],
)
def test_parts_of_a_stated_url(text: str, wanted: StatedURL | None) -> None:
    assert stated_url(text) == wanted


AT_ROUTE: list[tuple[dict[str, Any], str, str, tuple[str, str] | None]] = [
    ({"url": URL}, "/chat", "/chat", ("/chat", "/chat")),
    ({"url": URL}, "/chat", "", ("/chat", "")),
    ({"url": "https://example.com/portal/chat"}, "/chat", "/chat", ("/portal/chat", "/chat")),
    ({"url": "https://example.com/portal/chat"}, "/chat", "", ("/portal/chat", "")),
    ({"url": URL}, "", "", ("/chat", "/chat")),
    ({"url": "https://example.com/team/chat"}, "/team", "", ("/team/chat", "/chat")),
    ({"url": "https://example.com/team/chat"}, "/team", "/team", ("/team/chat", "/team/chat")),
    ({"url": "https://example.com"}, "", "", ("", "")),
    ({"url": "https://example.com"}, "/chat", "/chat", None),
    ({"url": URL}, "/bot", "/bot", None),
    ({"url": "https://example.com/webchat"}, "/chat", "/chat", None),
    ({"url": "https://example.com/chatter"}, "/chat", "/chat", None),
    ({"url": URL, "backend_path": ""}, "/bot", "/bot", ("/chat", "")),
    ({"url": URL, "backend_path": "/chat"}, "/chat", "", ("/chat", "/chat")),
    ({"url": "https://example.com/a/chat", "mount_path": "/chat"}, "/a", "/a", ("/a", "/a")),
    ({"url": "https://example.com/a/chat", "mount_path": "/chat", "backend_path": "/chat"}, "/x", "", ("/a", "")),
]


@pytest.mark.parametrize(("spec", "public", "backend", "wanted"), AT_ROUTE)
def test_a_stated_place_counts_first(
    spec: dict[str, Any], public: str, backend: str, wanted: tuple[str, str] | None
) -> None:
    found = place_of(app(**spec).spec, public, backend)
    assert found == (Place(*wanted, Source.STATED) if wanted is not None else None)


def test_without_a_stated_url_the_route_counts() -> None:
    assert place_of(app().spec, "/chat", "") == Place("/chat", "", Source.ROUTE)


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ({"url": URL}, ("/chat", "/chat")),
        ({"url": URL, "backend_path": ""}, ("/chat", "")),
        ({"url": URL, "rewrite": Rewrite.STRIP}, ("/chat", "")),
        ({"url": URL, "rewrite": Rewrite.NONE}, ("/chat", "/chat")),
        ({"url": f"{URL}/inner", "mount_path": "/inner"}, ("/chat", "/chat")),
    ],
)
def test_a_url_alone_takes_its_own_path(spec: dict[str, Any], wanted: tuple[str, str]) -> None:
    assert stated_place(app(**spec).spec) == Place(*wanted, Source.STATED)


def test_no_url_states_no_place() -> None:
    assert stated_place(app().spec) is None


@pytest.mark.parametrize(
    ("prefix", "mount", "wanted"), [("/a/b", "/b", "/a"), ("/a/b", "", "/a/b"), ("/a/b", "/a", "/a/b")]
)
def test_without_mount(prefix: str, mount: str, wanted: str) -> None:
    assert without_mount(prefix, mount) == wanted


PARENT: dict[str, Any] = {"parent_root_path": Variable("/team")}
KEPT = Status(root_path="/v2", parent_root_path="/old", kept=True)


@pytest.mark.parametrize(
    ("spec", "status", "pods", "wanted"),
    [
        ({}, Status(), [container()], ()),
        ({}, Status(), [container("/chat")], ("/chat",)),
        ({}, Status(), [container("/chat", **PARENT), container("/bot")], ("/team/chat", "/bot")),
        ({}, Status(), [container("/chat"), container("/chat")], ("/chat",)),
        ({}, Status(), [container(Variable(None)), container("/chat/"), container("/a b")], ()),
        ({"url": URL}, Status(), [container("/bot")], ("/chat", "/bot")),
        ({"url": f"{URL}/in", "mount_path": "/in"}, Status(), [container()], ("/chat/in",)),
        ({"url": "https://example.com"}, Status(), [container()], ()),
        ({}, KEPT, [container("/bot")], ("/old/v2", "/bot")),
        ({}, replace(KEPT, kept=False), [container("/bot")], ("/bot",)),
        ({"url": URL}, KEPT, [container("/bot")], ("/chat", "/old/v2", "/bot")),
    ],
)
def test_possible_prefixes(spec: dict[str, Any], status: Status, pods: Any, wanted: tuple[str, ...]) -> None:
    assert possible_prefixes(replace(app(**spec), status=status), workload(*pods)) == wanted
