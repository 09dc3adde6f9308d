"""The presets of the app chart for each controller: data, golden files, and the table in docs/reference/controllers.md.

Run as a script, it writes the golden files and the table anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tests.charts.generated import CHARTS
from tests.charts.rendering import dump, helm, load

CONTROLLERS = CHARTS / "chainlit/files/controllers.yaml"
GOLDEN = Path(__file__).with_name("golden")
TABLE = CHARTS.parent / "docs/reference/controllers.md"

#: Templates whose objects depend on the controller.
SOURCES = ("service", "ingress", "httproute", "httpproxy", "controller-objects")

_EXPRESSION = re.compile(r"\{\{.*?\}\}")
_DOCUMENT = re.compile(
    r"^---\n# Source: chainlit/templates/([\w/-]+)\.yaml\n(.*?)(?=^---\n|\Z)", re.DOTALL | re.MULTILINE
)
#: Keys of a controller that are no kinds of route.
NAMES = ("title", "classes", "gatewayClasses")
_BEGIN, _END = "<!-- controllers -->\n", "<!-- /controllers -->\n"
_TRIED = {"e2e": "by tests with real chats", "documentation": "no: from its documentation"}


class Preset(NamedTuple):
    """A controller with one of the kinds of route that it serves."""

    controller: str
    kind: str
    title: str
    facts: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The name of its golden file, without suffix."""
        return self.controller if self.kind == "Ingress" else f"{self.controller}-{self.kind.lower()}"

    @property
    def values(self) -> dict[str, Any]:
        """Values of a release with two pods, or one where the controller has no affinity."""
        route: dict[str, Any] = {
            "kind": self.kind,
            "controller": self.controller,
            "host": "chat.example.com",
            "path": "/chat",
        }
        if self.kind == "HTTPRoute":
            route["gateway"] = {"parentRefs": [{"name": "gateway", "namespace": "infra"}]}
        return {
            "image": {"repository": "example/chat"},
            "replicaCount": 2 if "affinity" in self.facts else 1,
            "route": route,
        }


def data() -> dict[str, Any]:
    """Return what the chart has by controller, the strings that are templates left out."""
    found: dict[str, Any] = load(_EXPRESSION.sub("true", CONTROLLERS.read_text(encoding="utf-8")))
    return found


def presets() -> Iterator[Preset]:
    """Yield each controller with each of its kinds of route."""
    for controller, entry in data().items():
        for kind, facts in entry.items():
            if kind not in NAMES:
                yield Preset(controller, kind, entry["title"], facts)


def rendered(preset: Preset) -> str:
    """Return what the chart renders of it: Service, route and the controller's objects, as YAML."""
    text = helm(
        "template", "chat", str(CHARTS / "chainlit"), "--namespace", "demo", "--values", "-", values=dump(preset.values)
    )
    found = {source: body for source, body in ((m[1], m[2]) for m in _DOCUMENT.finditer(text)) if source in SOURCES}
    bodies = [m[2] for m in _DOCUMENT.finditer(text) if m[1] in found]
    return "".join(f"---\n{body.strip()}\n" for body in sorted(bodies))


def golden(preset: Preset) -> Path:
    """Return the file that has what is expected of it."""
    return GOLDEN / f"{preset.name}.yaml"


def table() -> str:
    """Return docs/reference/controllers.md with the table that the data asks for."""
    rows = ["| `route.controller` | `route.kind` | several pods | tried | to know |", "|---|---|---|---|---|"]
    for preset in presets():
        facts = preset.facts
        cells = (
            f"`{preset.controller}`: {preset.title}",
            f"`{preset.kind}`",
            "yes" if "affinity" in facts else "no",
            _TRIED[facts["tried"]],
            facts["note"].strip(),
        )
        rows.append(f"| {' | '.join(cells)} |")
    before, rest = TABLE.read_text(encoding="utf-8").split(_BEGIN)
    _, after = rest.split(_END)
    return before + _BEGIN + "\n".join(rows) + "\n" + _END + after


def main() -> None:
    """Write the golden files and the table."""
    GOLDEN.mkdir(exist_ok=True)
    wanted = {golden(preset): rendered(preset) for preset in presets()}
    for path in set(GOLDEN.glob("*.yaml")) - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")
    TABLE.write_text(table(), encoding="utf-8")


if __name__ == "__main__":
    main()
