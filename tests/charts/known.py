"""What a chart knows of its values: the schema that Helm and editors read, and the file that the chart's check reads.

Helm's messages on a schema name no remedy for an unknown key, a pattern, a text without quotes and an empty section.
So the schema lets these through, and the template ``check`` (charts/check.tpl) refuses them, or gives the default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import yaml

Node = dict[str, Any]

#: Values as a null in a values file leaves them.
_EMPTY: tuple[object, ...] = (None, "", [], {})


class NotKnown(Exception):
    """The chart's values lack what the check needs; the message says what."""


def remedies(charts: Path) -> Mapping[str, str]:
    """Return what a text must look like, by pattern."""
    entries = yaml.safe_load((charts / "patterns.yaml").read_text(encoding="utf-8"))
    return {entry["pattern"]: entry["remedy"] for entry in entries}


def known(schema: Node, values: Mapping[str, Any], patterns: Mapping[str, str]) -> Node:
    """Return what the check of a chart reads, from its strict schema and its own values. Raises NotKnown.

    ``values`` is a tree beside the values: ``keys`` of a closed map, ``some`` keys or ``each`` value of an open one,
    ``items`` of a list, ``isText``, ``pattern`` and ``remedy`` of a text, ``default`` of a leaf, ``isNeeded`` if it may
    not be empty. ``paths`` has the dotted name of every value.
    """
    tree = _Reader(schema, patterns).node(schema)
    _add_defaults(tree, schema, values, jsonschema.Draft202012Validator(schema))
    return {"paths": sorted(_paths(tree, "")), "values": tree}


class _Reader:
    def __init__(self, schema: Node, patterns: Mapping[str, str]) -> None:
        self._schema = schema
        self._patterns = patterns

    def node(self, schema: Node) -> Node:
        """Return the check's node of a part of the schema."""
        target = self._target(schema)
        is_closed = False in (schema.get("additionalProperties"), target.get("additionalProperties"))
        schema = {**target, **schema}
        found: Node = {}
        if is_closed:
            found["keys"] = {name: self.node(part) for name, part in sorted(schema.get("properties", {}).items())}
        elif some := {name: node for name, part in schema.get("properties", {}).items() if (node := self.node(part))}:
            found["some"] = some
        for part in [schema.get("additionalProperties"), *schema.get("patternProperties", {}).values()]:
            if isinstance(part, dict) and (each := self.node(part)):
                found["each"] = each
        if isinstance(schema.get("items"), dict) and (items := self.node(schema["items"])):
            found["items"] = items
        return found | self._text(schema)

    def _text(self, schema: Node) -> Node:
        found: Node = {"isText": True} if _is_text(schema) else {}
        if pattern := schema.get("pattern"):
            if pattern not in self._patterns:
                raise NotKnown(f"charts/patterns.yaml has no remedy for the pattern {pattern}: add one")
            found |= {"pattern": pattern, "remedy": self._patterns[pattern]}
        return found

    def _target(self, schema: Node) -> Node:
        target = self._schema
        if "$ref" not in schema:
            return {}
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return {**self._target(target), **target}


def _is_text(schema: Node) -> bool:
    return schema.get("type") == "string" and "enum" not in schema


def _add_defaults(node: Node, schema: Node, values: Mapping[str, Any], validator: Any) -> None:
    for name, default in values.items():
        part, child = schema["properties"][name], node["keys"][name]
        if "properties" in part and part.get("additionalProperties") is False:
            _add_defaults(child, part, default, validator)
        elif default is not None:
            child["default"] = default
            if default and not any(validator.evolve(schema=part).is_valid(empty) for empty in _EMPTY):
                child["isNeeded"] = True


def _paths(node: Node, prefix: str) -> Iterator[str]:
    for name, child in node.get("keys", {}).items():
        yield prefix + name
        yield from _paths(child, f"{prefix}{name}.")


def lenient(schema: Any) -> Any:
    """Return a schema without what the check refuses with a better message."""
    if isinstance(schema, list):
        return [lenient(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: lenient(part) for name, part in schema.items()}
    if made.get("additionalProperties") is False:
        made["additionalProperties"] = True
    if isinstance(made.get("pattern"), str):
        del made["pattern"]
    if _is_text(made):
        made["type"] = ["string", "number", "boolean"]
    return made
