"""What Hypothesis draws for every kind of route: likely and odd values, paths, and expressions."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

#: Stand for the namespace and the host, so that a scene can be played anywhere.
NAMESPACE, HOST = "scene-0", "chat.example"
#: A host two labels below the wildcard ``*.example``.
DEEP = "deep.b.example"
OWN_PATHS = ("/ws", "/assets", "/project", "/login", "/set-session-cookie")
EXPRESSIONS = ("/?(.*)", "(/.*)?", ".*", "/(.*)", "", "(/|$)", "/[a-z]+", "$", "(/.+)?", "(?:/(.*))?", "()/?(.*)",
               "(/[A-Za-z0-9._/-]*)?", "(/(ws|assets))?.*", "[0-9]*(/.*)?", "(?!/private).*",
               "(/.*)?|/bot.*")  # fmt: skip
#: Whether the scene is a calm one; one draw for each scene.
CALM = st.shared(st.booleans(), key="calm")


def often(*rare: Any, usually: tuple[Any, ...], odds: int = 9, calm: int = 5) -> SearchStrategy[Any]:
    """One of ``usually``, or against odds of nine to one each what is rare; in a calm scene ``calm`` times as many."""

    def choice(odds: int) -> SearchStrategy[Any]:
        share = -(-odds * len(rare) // len(usually))
        return st.sampled_from([*usually * share, *rare, *usually])  # the ends of a list are likelier than its middle

    hasty, rested = choice(odds), choice(odds * calm)
    return CALM.flatmap(lambda is_calm: rested if is_calm else hasty)


def some(one: SearchStrategy[Any]) -> SearchStrategy[list[Any]]:
    """None half of the time, else one or, seldom, two; in a calm scene mostly none."""
    numbers = st.sampled_from([0, 0, 0, 1, 1, 2])
    fewer = st.sampled_from([0, 0, 0, 0, 0, 1])
    number = CALM.flatmap(lambda is_calm: fewer if is_calm else numbers)
    return number.flatmap(lambda n: st.lists(one, min_size=n, max_size=n))


def paths_around(prefix: str) -> SearchStrategy[str]:
    """Paths that another entry may have: below the prefix, above it, near it, elsewhere."""
    base = prefix.rstrip("/")
    below = [f"{base}{tail}" for tail in (*OWN_PATHS, "/", "/a", "/projects", "/shop", "x" if base else "/x", "/")]
    above = [base.rpartition("/")[0] or "/", base[:-1] or "/"]
    elsewhere = ["/", "/shop", "/bot", "/assets", "/shop/chat", "/v1", "/status"]
    return st.sampled_from([prefix, *below, *above, *elsewhere, *elsewhere])


def spelled(prefix: str, *, loosely: bool) -> SearchStrategy[str]:
    """The prefix as somebody may spell it; ``loosely`` also as an API server takes it unread."""
    base = prefix.rstrip("/")
    odd = (f"/{base}", f"{base}//", f"{prefix} ", f"{base}/./x", "/a b") if loosely else ("/a@b",)
    return often(f"{base}/", *odd, usually=(prefix, prefix, prefix, f"{base}/"))


def odd_expressions(prefix: str) -> SearchStrategy[str]:
    """Expressions that are more than a prefix with a tail, for all or a part of what is below a prefix."""
    base = prefix.rstrip("/")
    parent, _, last = base.rpartition("/")
    return st.sampled_from(
        [
            f"/({base[1:]}/.*)",
            f"{parent}/({last}.*)",
            f"{parent}/({last}|bot)(/|$)(.*)",
            f"({base}(/.*)?)",
            f"(?:{base}|/bot)(/.*)?",
            f"/(?:{base[1:]}/)?(.*)",
            f"{parent}/[a-z]+(/|$)(.*)",
            f"(/[a-z]+)?{base}(/.*)?",
            f"{base.upper()}(/|$)(.*)",
        ]
    )
