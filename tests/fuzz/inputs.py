"""Inputs that Hypothesis makes: the objects of the corpus with a few fields changed, and texts made of odd pieces."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from tests.fuzz import world

Place = tuple[str | int, ...]

#: What paths, expressions, annotations and messages are made of, and what has troubled readers of such.
PIECES = (
    *(
        "/",
        "//",
        "/chat",
        "/ws",
        "/assets",
        ".",
        "..",
        "/./",
        "~",
        "-",
        "_",
        "%2e",
        "%00",
        "?",
        "#",
        "&",
        ":",
        ";",
        ",",
    ),
    *("^", "$", "(.*)", "(/|$)(.*)", "(/.*)?", "/?(.*)", "(a+)+", "(a|a)*", "[a-z]+", "{1,99}", "(?:", ")", "[", "\\"),
    *("$1", "$2", "${1}", "$9", "$", "${", "\\1", "\\9", "$$", "serviceName=chat", "rewrite=", "=", "@", "@file"),
    *("shop-strip@kubernetescrd", "contour", "true", "k:", 'k:{"name":"chainlit"}', "f:spec", "v:", "i:0", "*", "*."),
    *("chat", "chainlit", "CHAINLIT_ROOT_PATH", "--root-path", " ", "\t", "\n", "\r", "\x00", "\x1e", "\x7f", "\x85"),
    *(
        "\u2028",
        "\u202e",
        "\ufeff",
        "\u0130",
        "ß",
        "İ",
        "Å",
        "e\u0301",
        "𝕏",
        "👩‍🚀",
        "\U0010ffff",
        "\ufffd",
        "١",
        "a" * 300,
    ),
)
NUMBERS = (0, 1, -1, 80, 65535, 65536, 2**31, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**30, 0.5, -0.0, 1e300, 1e-300)


def _nested(depth: int, is_list: bool) -> Any:
    found: Any = "x"
    for _ in range(depth):
        found = [found] if is_list else {"a": found}
    return found


def _anew(found: Any) -> Any:
    """A copy: what is put into one object may be changed there, and must not be so in the next."""
    return json.loads(json.dumps(found))


texts: SearchStrategy[str] = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=6).map("".join),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)
values: SearchStrategy[Any] = st.one_of(
    texts,
    texts,
    texts,
    st.sampled_from(NUMBERS),
    st.sampled_from((None, True, False, [], {}, [None], {"": ""}, [[]], {"a": None}, "")).map(_anew),
    st.sampled_from((_nested(40, True), _nested(40, False), _nested(300, True), _nested(300, False))).map(_anew),
    texts.map(lambda text: [text]),
    texts.map(lambda text: {text: text}),
)

#: What is done to a place beside having another value there.
REMOVED, DOUBLED, MANY = "removed", "doubled", "many"
_DEEDS = st.sampled_from((REMOVED, DOUBLED, MANY))


def _places(found: Any, at: Place = ()) -> Iterator[Place]:
    entries = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    for key, value in entries:
        yield (*at, key)
        yield from _places(value, (*at, key))


_TEXT = [json.dumps(found) for found in world.CORPUS]
_PLACES = [
    tuple(place for place in _places(found) if place[-1] not in ("kind", "apiVersion")) for found in world.CORPUS
]
_BY_KIND: dict[str, list[int]] = {}
for _number, _found in enumerate(world.CORPUS):
    _BY_KIND.setdefault(_found["kind"], []).append(_number)


class Made(NamedTuple):
    """An object as JSON, and the number of the app whose cluster it gets into."""

    kind: str
    raw: bytes
    app: int


#: A place, what to do there, and whether the type of what is there does not matter.
_CHANGES = st.lists(
    st.tuples(st.integers(0, 400), st.one_of(values, values, values, _DEEDS), st.integers(0, 9)), max_size=4
)


@st.composite
def objects(draw: DrawFn) -> Made:
    """An object with up to four changes, most of which keep to the types that its schema asks for."""
    number = draw(st.sampled_from(sorted(_BY_KIND)).flatmap(lambda kind: st.sampled_from(_BY_KIND[kind])))
    found = json.loads(_TEXT[number])
    is_large = False
    for place, value, odd in draw(_CHANGES):
        if value == MANY and is_large:
            continue  # once is enough: the API server takes no object of more than 1.5 MiB
        is_large = is_large or value == MANY
        _change(found, _PLACES[number][place % len(_PLACES[number])], value, is_odd=odd == 9)
    return Made(found["kind"], json.dumps(found).encode(), draw(st.integers(0, len(world.APPS) - 1)))


def _change(found: Any, place: Place, value: Any, *, is_odd: bool) -> None:
    """Change what is at a place, if that is still there. A template is held to its schema by the API server."""
    is_template = place[:3] == ("spec", "workload", "template")
    key: Any = place[-1]
    try:
        for step in place[:-1]:
            found = found[step]
        old = found[key]
    except (KeyError, IndexError, TypeError):
        return
    if value in (DOUBLED, MANY):
        if isinstance(old, list):
            found[key] = old * (2 if value == DOUBLED else 40)
    elif isinstance(found, dict | list):
        if value == REMOVED and not is_template:
            del found[key]
        elif value != REMOVED:
            found[key] = value if is_odd and not is_template else _like(old, value)


def _like(old: Any, value: Any) -> Any:
    """A value of the same type."""
    if isinstance(old, str):
        return value if isinstance(value, str) else str(value)[:100]
    if isinstance(old, bool):
        return bool(value)
    if isinstance(old, int):
        return value if type(value) is int and 0 < value < 2**31 else 1
    return old


#: Bytes that nobody who speaks the protocol sends.
raws: SearchStrategy[bytes] = st.one_of(
    st.binary(max_size=60),
    st.tuples(st.sampled_from(_TEXT), st.integers(0, 600), st.binary(max_size=4)).map(
        lambda found: found[0].encode()[: found[1]] + found[2] + found[0].encode()[found[1] + 1 :]
    ),
)
