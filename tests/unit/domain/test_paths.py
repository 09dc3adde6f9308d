"""Path prefixes: the normal form, what Chainlit can serve, and the law of alignment."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chainlit_operator.domain import paths
from chainlit_operator.domain.probes import probe_path

SEGMENTS = st.text("abcXYZ019._~-", min_size=1, max_size=6).filter(lambda s: s not in {".", ".."})
PREFIXES = st.lists(SEGMENTS, max_size=4).map(lambda segments: "".join(f"/{s}" for s in segments))


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        ("", ""),
        ("/", ""),
        ("//", ""),
        ("  ", ""),
        ("chainlit", "/chainlit"),
        ("/chainlit", "/chainlit"),
        ("/chainlit/", "/chainlit"),
        ("//chainlit", "/chainlit"),
        (" /x ", "/x"),
        ("\t/x\n", "/x"),
        ("team//chat///", "/team/chat"),
        ("/v1.0/my-chat_2~", "/v1.0/my-chat_2~"),
    ],
)
def test_normal_form(text: str, prefix: str) -> None:
    assert paths.normalise(text) == prefix


@given(st.text())
@example("/ / /")
def test_normal_form_is_stable_and_well_formed(text: str) -> None:
    prefix = paths.normalise(text)
    assert paths.normalise(prefix) == prefix or prefix != prefix.strip()
    assert not prefix or (prefix.startswith("/") and not prefix.endswith("/"))
    assert "//" not in prefix


@given(PREFIXES, st.sampled_from(["{}", "{}/", "/{}", "{}//", " {} "]))
def test_spelling_does_not_matter(prefix: str, spelling: str) -> None:
    assert paths.normalise(spelling.format(prefix)) == prefix


@given(PREFIXES)
def test_what_normalises_from_plain_segments_can_be_served(prefix: str) -> None:
    assert paths.problem(prefix) is None


@pytest.mark.parametrize("prefix", ["/a b", "/ünï", "/a%20b", "/a/../b", "/.", "/a:b", "/{x}", "/a#b", "/a?b", "/a\n"])
def test_what_chainlit_cannot_serve_is_told(prefix: str) -> None:
    assert paths.problem(prefix)


@pytest.mark.parametrize(
    ("prefix", "parent", "below"),
    [
        ("/chat", "/chat", True),
        ("/chat/ws", "/chat", True),
        ("/chatx", "/chat", False),
        ("/chat", "/chat/ws", False),
        ("/chat", "", True),
        ("", "", True),
    ],
)
def test_below_holds_at_segment_boundaries(prefix: str, parent: str, below: bool) -> None:
    assert paths.is_below(prefix, parent) is below


@pytest.mark.parametrize(
    ("public", "backend", "roots"),
    [
        ("", "", ("", "")),
        ("/chat", "/chat", ("/chat", "")),
        ("/chat", "", ("", "/chat")),
        ("/team/chat", "/chat", ("/chat", "/team")),
        ("/team/chat", "/team/chat", ("/team/chat", "")),
        ("/team/chat", "/team", None),
        ("/chat", "/other", None),
        ("", "/chat", None),
        ("/teamchat", "/chat", None),
    ],
)
def test_law_of_alignment(public: str, backend: str, roots: tuple[str, str] | None) -> None:
    assert paths.align(public, backend) == roots


@given(PREFIXES, PREFIXES)
def test_aligned_roots_make_up_the_public_prefix(parent: str, backend: str) -> None:
    roots = paths.align(parent + backend, backend)
    assert roots == (backend, parent)


@pytest.mark.parametrize(
    ("backend", "mount", "served"),
    [
        ("", "", ""),
        ("/chat", "", "/chat"),
        ("", "/chainlit", "/chainlit"),
        ("/api", "/chainlit", "/api/chainlit"),
        ("/api", "/api/chainlit", "/api/chainlit"),
        ("/chainlit", "/chainlit", "/chainlit"),
        ("/api", "/apis/chainlit", "/api/apis/chainlit"),
    ],
)
def test_where_a_mounted_app_is_served(backend: str, mount: str, served: str) -> None:
    assert paths.mounted(backend, mount) == served


@pytest.mark.parametrize(
    ("path", "root", "former", "wanted"),
    [
        ("/health", "/chat", ("",), "/chat/health"),
        ("/old/health", "/chat", ("/old",), "/chat/health"),
        ("/anything/health", "/chat", (), "/anything/health"),
        ("/chat/health", "/chat", ("/chat",), "/chat/health"),
        ("/chat/health", "", ("/chat",), "/health"),
        ("/auth/config", "/chat", (), "/chat/auth/config"),
        ("/old/auth/config", "", (), "/old/auth/config"),
        ("/old/old/health", "", ("/old",), "/old/health"),
        ("/", "/chat", (), "/chat/health"),
        ("", "/chat", (), "/chat/health"),
        ("/", "", ("/chat",), "/"),
        ("/chat/", "/chat", (), "/chat/"),
        ("/old/", "/chat", ("/old",), "/chat/"),
        ("/old", "/chat", ("/old",), "/chat/"),
        ("/old", "", ("/old",), "/"),
        ("/ready", "/chat", ("",), "/ready"),
        ("/healthz", "/chat", (), "/healthz"),
        ("/health/live", "/chat", (), "/health/live"),
        ("/health/", "/chat", (), "/chat/health/"),
        ("/login", "/chat", (), "/chat/login"),
        ("/healthX", "/chat", (), "/healthX"),
        ("/old?x=1", "/chat", ("/old",), "/chat/?x=1"),
        ("/public/logo.png", "/chat", (), "/chat/public/logo.png"),
        ("/publications", "/chat", (), "/publications"),
        ("/ws/socket.io", "/chat", (), "/chat/ws/socket.io"),
        ("/ws/other", "/chat", (), "/ws/other"),
        ("/project/settings?language=en", "/chat", (), "/chat/project/settings?language=en"),
        ("/old/ready", "/chat", ("/wrong", "/old"), "/chat/ready"),
        ("/oldest/ready", "/chat", ("/old",), "/oldest/ready"),
        ("/health?full=1", "/chat", (), "/chat/health?full=1"),
        ("/anything/health?full=1", "/chat", (), "/anything/health?full=1"),
        ("/team/chat/ready", "/team/chat", ("/team",), "/team/chat/ready"),
        ("/team/chat/health", "/team", ("/team/chat",), "/team/health"),
        ("/chat/custom/health", "/chat", ("/chat",), "/chat/custom/health"),
        ("/chatter/ready", "/chat", ("/chat",), "/chatter/ready"),
        ("health", "/chat", (), "/chat/health"),
        ("old/health?x=1", "/chat", ("/old",), "/chat/health?x=1"),
        ("chat/health", "/chat", (), "chat/health"),
        ("ready", "", (), "ready"),
    ],
)
def test_probe_path(path: str, root: str, former: tuple[str, ...], wanted: str) -> None:
    assert probe_path(path, root, former) == wanted


@given(PREFIXES, PREFIXES, st.sampled_from(["/", "/health", "/auth/config", "/ready", "/x?y=1"]))
def test_probe_path_settles_in_one_step(former: str, root: str, tail: str) -> None:
    moved = probe_path(former + tail, root, (former,))
    if not former and tail in ("/ready", "/x?y=1") and not paths.is_below(tail, root):
        assert moved == tail
        return
    assert paths.is_below(moved.partition("?")[0].rstrip("/") or "", root)
    assert probe_path(moved, root, (root, former)) == moved or not root


def test_a_path_that_no_server_takes_is_not_served() -> None:
    assert paths.problem("/a" * 2048) is None
    assert paths.problem("/a" * 2048 + "b") == "it has more than 4096 characters"
