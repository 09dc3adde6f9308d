"""Values that a chart must refuse, derived from its schema: each wrong in one place, which is known."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .generated import CHARTS, defaults
from .rendering import Object

Path = tuple[str | int, ...]

#: One value of each type of JSON, none of which any pattern of ours wants.
_EXAMPLES: dict[str, Any] = {
    "object": {"no such key": 1},
    "array": [["no such item"]],
    "string": "no such value!",
    "boolean": True,
    "integer": 7,
    "number": 7.5,
}
#: Texts of which some are wrong for each pattern.
_TEXTS = ("no such value!", "-", "/", "A_", "a:b", "sha256:0", "1", "", "ä")


@dataclass(frozen=True, eq=False)
class Invalid:
    """A value of a chart that is wrong."""

    path: Path  # of the value that the message has to name
    key: str  # what the message has to quote: the place, or the key that is not known
    value: Any
    fault: str

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.path))}: {self.fault}"


def invalid(chart: str) -> list[Invalid]:
    """Return what the schema of a chart refuses: a value for each keyword that says anything.

    Raises AssertionError where it says nothing, so that anything would do.
    """
    schema = json.loads((CHARTS / chart / "values.schema.json").read_text(encoding="utf-8"))
    return list(_Faults(schema, defaults(chart)).of((), schema))


def batches(wrong: Sequence[Invalid]) -> list[list[Invalid]]:
    """Return the same in few lists: in each, no value stands in the way of another, so one file can have them all."""
    found: list[list[Invalid]] = []
    for each in wrong:
        for batch in found:
            if not any(_contains(each.path, other.path) or _contains(other.path, each.path) for other in batch):
                batch.append(each)
                break
        else:
            found.append([each])
    return found


def values(batch: Sequence[Invalid]) -> Object:
    """Return the values file that has these values and no others."""
    tree: Object = {}
    for each in batch:
        place: dict[Any, Any] = tree
        for step in each.path[:-1]:
            place = place.setdefault(step, {})
        if each.path:
            place[each.path[-1]] = each.value
        else:
            place.update(each.value)
    made: Object = _lists(tree)
    return made


def _lists(tree: Any) -> Any:
    """Return a tree in which maps with the key 0 are lists."""
    if not isinstance(tree, dict):
        return tree
    return [_lists(tree[0])] if 0 in tree else {key: _lists(value) for key, value in tree.items()}


def _contains(outer: Path, inner: Path) -> bool:
    return inner[: len(outer)] == outer


class _Faults:
    def __init__(self, root: Object, chart_values: Object) -> None:
        self._root, self._defaults = root, chart_values

    def _has_default(self, path: Path) -> bool:
        place: Any = self._defaults
        for step in path:
            if not isinstance(place, dict) or step not in place:
                return False
            place = place[step]
        return True

    def of(self, path: Path, schema: Object) -> Iterator[Invalid]:
        """Yield the faults that a value at a path may have, and those of all that is below it."""
        schema = self._resolved(schema)
        if path:
            yield from _type(path, schema)
        yield from _scalar(path, schema)
        yield from self._map(path, schema)
        yield from self._list(path, schema)

    def _resolved(self, schema: Object) -> Object:
        """Return a schema with what it refers to; where both say something, what refers wins."""
        while "$ref" in schema:
            found = self._root
            for step in schema["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            schema = found | {
                key: value for key, value in schema.items() if key not in ("$ref", "additionalProperties")
            }
        return schema

    def _map(self, path: Path, schema: Object) -> Iterator[Invalid]:
        if "object" not in _types(schema):
            return
        known = schema.get("properties", {})
        for name, below in known.items():
            yield from self.of((*path, name), below)
        for pattern in schema.get("patternProperties", {}).values():
            yield from self.of((*path, "ANY"), pattern)
        others = schema.get("additionalProperties")
        if others is False:
            unknown = "" if "patternProperties" in schema else "noSuchKey"
            needed = {
                name: "any"
                for name in schema.get("required", ())
                if name in known and not self._has_default((*path, name))
            }
            yield Invalid(path, unknown, needed | {unknown: 1}, "unknown key")
        elif isinstance(others, dict):
            yield from self.of((*path, "any"), others)
        for name in schema.get("required", ()):
            # Without a null the default would be there.
            yield Invalid(path, name, {name: None} if self._has_default((*path, name)) else {}, f"no {name}")

    def _list(self, path: Path, schema: Object) -> Iterator[Invalid]:
        if "array" not in _types(schema):
            return
        if "items" in schema:
            yield from self.of((*path, 0), schema["items"])
        if schema.get("uniqueItems"):
            yield Invalid(path, _place(path), ["same", "same"], "the same twice")


def _type(path: Path, schema: Object) -> Iterator[Invalid]:
    allowed = _types(schema)
    assert allowed, f"{_place(path)} may be of any type"
    if "number" in allowed:
        allowed = {*allowed, "integer"}
    for name, example in _EXAMPLES.items():
        if name not in allowed:
            yield Invalid(path, _place(path), example, f"{name}, which it is not")


def _scalar(path: Path, schema: Object) -> Iterator[Invalid]:
    place = _place(path)
    if "enum" in schema:
        yield Invalid(path, place, "NoSuchChoice", "not one of the choices")
    if "minimum" in schema:
        yield Invalid(path, place, schema["minimum"] - 1, "too small")
    if "maximum" in schema:
        yield Invalid(path, place, schema["maximum"] + 1, "too large")
    if "maxLength" in schema:
        yield Invalid(path, place, "a" * (schema["maxLength"] + 1), "too long")
    if schema.get("minLength"):
        yield Invalid(path, place, "", "too short")
    if "pattern" in schema:
        wrong = next(text for text in _TEXTS if not re.search(schema["pattern"], text))
        yield Invalid(path, place, wrong, f"{wrong!r}, which does not match the pattern")


def _types(schema: Object) -> set[str]:
    found: str | Sequence[str] = schema.get("type", ())
    return {found} if isinstance(found, str) else set(found)


def _place(path: Path) -> str:
    return "".join(f"/{step}" for step in path)
