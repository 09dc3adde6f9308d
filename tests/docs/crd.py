"""The fields of a ChainlitApp, from the schema of its CustomResourceDefinition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.release import home

CRD = Path(__file__).parents[2] / "charts/chainlit-operator/files/chainlitapps.yaml"

Schema = Mapping[str, Any]

INTRODUCTION = """\
Group `{group}`, version `{version}`, kind `{kind}`, short name `{short}`; namespaced. `kubectl explain
{singular}.spec` shows the same descriptions. [Reasons](reasons.md) explains `status.conditions`. The group is a name
only: nothing is served at that address. The home of this documentation is [{home}]({home}).

```yaml
apiVersion: {group}/{version}
kind: {kind}
metadata: {{name: support, namespace: team-a}}
spec:
  workload:
    ref: {{name: chat}}      # Deployment chat in namespace team-a; the operator finds its Service and its route
```
"""


def page() -> str:
    """Return the body of the page: one section for each object, with a table of its fields."""
    definition = yaml.safe_load(CRD.read_text(encoding="utf-8"))["spec"]
    version = definition["versions"][0]
    names = definition["names"]
    parts = [
        INTRODUCTION.format(
            group=definition["group"],
            version=version["name"],
            kind=names["kind"],
            short=names["shortNames"][0],
            singular=names["singular"],
            home=home.read(environment={}).url,
        ),
        "## Columns of kubectl get\n",
        "| column | content | shown |\n|---|---|---|",
        *_columns(version["additionalPrinterColumns"]),
        "",
    ]
    schema = version["schema"]["openAPIV3Schema"]
    parts += _rules("", schema)
    for top in ("spec", "status"):
        parts += _section(top, schema["properties"][top])
    return "\n".join(parts)


def _columns(columns: list[Schema]) -> Iterator[str]:
    for column in columns:
        shown = "with `--output wide`" if column.get("priority") else "always"
        yield f"| {column['name']} | {column.get('description', 'Time since the creation.')} | {shown} |"


def _section(path: str, schema: Schema) -> Iterator[str]:
    """Yield the section of an object, then those of the objects in it."""
    required = schema.get("required", ())
    yield f"## {path}\n"
    yield f"{schema['description']}\n"
    yield from _rules(path, schema)
    yield "| field | type | default | description |\n|---|---|---|---|"
    for name, field in schema["properties"].items():
        type_ = f"{_type(field)}, required" if name in required else _type(field)
        yield f"| `{name}` | {type_} | {_default(field)} | {_cell(field['description'])} |"
    yield ""
    for name, field in schema["properties"].items():
        inner = field.get("items", field)
        if "properties" in inner:
            yield from _section(f"{path}.{name}{'[]' if inner is not field else ''}", inner)


def _rules(path: str, schema: Schema) -> Iterator[str]:
    """Yield the rules that the API server checks about the object as a whole."""
    messages = [
        _cell(rule["message"]) for rule in schema.get("x-kubernetes-validations", ()) if "fieldPath" not in rule
    ]
    if messages:
        yield f"The API server refuses {path or 'a ChainlitApp'} with:\n"
        yield "\n".join(f"- {message}" for message in messages) + "\n"


def _type(field: Schema) -> str:
    """Return type and limits of a field."""
    if "enum" in field:
        return " \\| ".join(f"`{value}`" for value in field["enum"])
    if "x-kubernetes-int-or-string" in field:
        return "integer or string"
    if field["type"] == "array":
        return f"list of {_type(field['items'])}"
    if "additionalProperties" in field:
        return f"map of {_type(field['additionalProperties'])}"
    limits = [f"{word} {field[key]:,}" for key, word in (("minimum", "from"), ("maximum", "to")) if key in field]
    return " ".join([field["type"], *limits])


def _default(field: Schema) -> str:
    default = field.get("default")
    return (
        "–"
        if default is None or default == {}
        else f"`{default if isinstance(default, str) else str(default).lower()}`"
    )


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
