"""Golden files: an object as the API server sends it, and the record that its kind makes of it.

``golden/<kind>/<case>.json`` is the object, in a folder with the operator's name of its kind, and ``<case>.txt`` beside
it the record; a field with its default is left out. Run as a module (``python -m tests.unit.kinds.golden``), this
writes all records again: read the diff.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chainlit_operator.domain.model import AnnotatedRoute, AnnotatedService
from chainlit_operator.kinds import chainlitapp, registry
from chainlit_operator.kinds.shared.kind import unknown

ROOT = Path(__file__).parent / "golden"
_WIDTH = 110
#: Hashes with a key of the process.
_UNSTABLE = {"digests"}


def cases() -> list[Path]:
    """Return the files of all objects."""
    return sorted(ROOT.glob("*/*.json"))


def made(case: Path) -> str:
    """Return the text of the record of an object, a route or a Service before its annotations are interpreted."""
    raw = case.read_bytes()
    if case.parent.name == registry.APP.kind.lower():
        return shown(chainlitapp.app_from_json(raw)) + "\n"
    kind = next(kind for name, kind in registry.WATCHED.items() if name.lower() == case.parent.name)
    record = kind.decode(raw, unknown)
    if not isinstance(record, AnnotatedRoute | AnnotatedService):
        return shown(record) + "\n"
    return shown(record[0]) + "\n" + (f"annotations: {record.annotations}\n" if record.annotations else "")


def shown(value: Any, indent: str = "") -> str:
    """Return a value as Python would write it, over several lines where one is too short."""
    if dataclasses.is_dataclass(value) or hasattr(value, "_fields"):
        parts, brackets = [*_fields(value, f"{indent}    ")], f"{type(value).__name__}()"
    elif isinstance(value, tuple | list) and value:
        parts, brackets = [shown(each, f"{indent}    ") for each in value], "()" if isinstance(value, tuple) else "[]"
    else:
        return repr(value)
    comma = "," if isinstance(value, tuple) and not hasattr(value, "_fields") and len(parts) == 1 else ""
    flat = f"{brackets[:-1]}{', '.join(parts)}{comma}{brackets[-1]}"
    if len(flat) + len(indent) <= _WIDTH and "\n" not in flat:
        return flat
    lines = "".join(f"{indent}    {part},\n" for part in parts)
    return f"{brackets[:-1]}\n{lines}{indent}{brackets[-1]}"


def _fields(value: Any, indent: str) -> Iterator[str]:
    if dataclasses.is_dataclass(value):
        defaults = {field.name: field.default for field in dataclasses.fields(value)}
    else:
        defaults = {name: value._field_defaults.get(name, dataclasses.MISSING) for name in value._fields}
    for name, default in defaults.items():
        found = getattr(value, name)
        if found != default and name not in _UNSTABLE:
            yield f"{name}={shown(found, indent)}"


if __name__ == "__main__":
    for path in cases():
        path.with_suffix(".txt").write_text(made(path), encoding="utf-8")
