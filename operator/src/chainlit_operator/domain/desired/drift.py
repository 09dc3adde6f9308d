"""Drift: whether another manager changed an object that the operator created.

A field has drifted where the live value differs from the wanted one *and* the operator no longer owns the field: the
API server takes a field from its manager when another one changes it. A comparison of values alone would mislead,
because the API server and admission webhooks spell some values differently (``0.5`` CPUs become ``500m``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from chainlit_operator.domain.field_managers import CREATED_FIELD_MANAGER

#: The annotation with the digest of the applied manifest. It also shows that a manifest no longer has a field.
DIGEST = "chainlit-operator.dev/applied"
MANAGED_BY = "app.kubernetes.io/managed-by"

#: The metadata that ``content`` has.
KEPT_METADATA = ("labels", "annotations", "ownerReferences")

#: The keys that identify an element of a list. The first one that the element has counts; without one, its position.
_KEYS = ("uid", "mountPath", "containerPort", "name")


@dataclass(frozen=True, slots=True)
class OwnedState:
    """The whole content of an object that a ChainlitApp created. Its record has this beside the pruned fields.

    ``app`` and ``uid`` are name and uid of that ChainlitApp. ``content`` is the object without its status, ``managed``
    its ``managedFields``.
    """

    app: str
    uid: str
    object_uid: str
    content: Mapping[str, Any]
    is_terminating: bool = False
    managed: Sequence[Mapping[str, Any]] = field(default=(), compare=False)

    @property
    def digest(self) -> str:
        """The digest of what was applied last."""
        annotations: Mapping[str, str] = self.content.get("metadata", {}).get("annotations") or {}
        return annotations.get(DIGEST, "")


@dataclass(frozen=True, slots=True)
class Element:
    """A step of a path that leads to an element of a list."""

    value: Any
    index: int

    def __str__(self) -> str:
        name = self.value.get("name", self.index) if isinstance(self.value, Mapping) else self.index
        return f"[{name}]"


Path = tuple["str | Element", ...]


def digest(body: Mapping[str, Any]) -> str:
    """Return 16 hexadecimal digits that tell one manifest from another."""
    return sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]


def drift(wanted: Mapping[str, Any], owned: OwnedState) -> tuple[tuple[str, str], ...]:
    """Return (field, field manager) for each field that another manager took and changed.

    The manager is empty where nobody owns the field now, as after its removal.
    """
    ours = [entry for entry in owned.managed if entry.get("manager") == CREATED_FIELD_MANAGER]
    found = []
    for path in differences(_comparable(wanted), owned.content):
        if not any(owns(entry.get("fieldsV1") or {}, path) for entry in ours):
            others = {str(entry.get("manager")) for entry in owned.managed if owns(entry.get("fieldsV1") or {}, path)}
            found.append((text(path), ", ".join(sorted(others))))
    return tuple(found)


def _comparable(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a manifest without the identity of the object."""
    metadata = {key: value for key, value in manifest["metadata"].items() if key in KEPT_METADATA}
    return {key: value for key, value in manifest.items() if key not in ("apiVersion", "kind")} | {"metadata": metadata}


def differences(wanted: Any, live: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of each wanted value that ``live`` does not have, and of each list of another length."""
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        for key, value in wanted.items():
            yield from differences(value, live.get(key), (*path, key))
    elif isinstance(wanted, list) and isinstance(live, list):
        if len(wanted) != len(live):
            yield path
        for index, value in enumerate(wanted):
            yield from differences(value, _counterpart(value, index, live), (*path, Element(value, index)))
    elif wanted != live:
        yield path


def owns(fields: Mapping[str, Any], path: Path) -> bool:
    """Whether an entry of ``managedFields`` (its ``fieldsV1``) has the field at ``path``, or something below it."""
    for step in path:
        if not fields:
            return True  # a value that is owned as a whole
        below = _element(fields, step) if isinstance(step, Element) else fields.get(f"f:{step}")
        if below is None:
            return False
        fields = below
    return True


def text(path: Path) -> str:
    """Return a path as people write it: ``spec.containers[chainlit].image``."""
    return "".join(str(step) if isinstance(step, Element) else f".{step}" for step in path).removeprefix(".")


def _counterpart(value: Any, index: int, live: list[Any]) -> Any:
    """The element of ``live`` that corresponds to ``value``."""
    if not isinstance(value, Mapping):
        return value if value in live else None
    key = next((key for key in _KEYS if key in value), None)
    if key is None:
        return live[index] if index < len(live) else None
    return next((other for other in live if isinstance(other, Mapping) and other.get(key) == value[key]), None)


def _element(fields: Mapping[str, Any], step: Element) -> Mapping[str, Any] | None:
    """The owned fields of an element, found by its keys (``k:``), its value (``v:``) or its position (``i:``)."""
    for name, below in fields.items():
        mark, _, rest = name.partition(":")
        if mark == "k" and isinstance(step.value, Mapping):
            keys = json.loads(rest)
            if all(step.value.get(key, value) == value for key, value in keys.items()):
                return dict(below)
        elif (mark == "v" and json.loads(rest) == step.value) or name == f"i:{step.index}":
            return dict(below)
    return None
