"""The page of all reasons: a table from A to Z, then a heading for each reason."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

DATA = Path(__file__).with_name("reasons.yaml")

INTRODUCTION = """\
`kubectl get chainlitapp` shows the reason of condition `Ready`. `kubectl describe chainlitapp NAME` shows all
conditions, with messages that name the object, the field and the fix:

| condition | True means |
|---|---|
| `RouteResolved` | the operator found the route, and it gives the app one path |
| `Aligned` | the workload has this path: variables and probe paths |
| `WebSocketReachable` | handshake, WebSocket upgrade, page and script of the page work |
| `Ready` | all others are True; otherwise it has status and reason of the first one that is not |

Mode `Backend` of `spec.verification` sends the requests to the Service. Mode `Edge` sends them to the public URL; if
that fails, the operator tests the Service too, and the message first says on which side the fault is.
[Routes](routes.md) lists each form of route with its result. [Troubleshoot](../how-to/troubleshoot.md) has a decision
tree.

| reason | condition | status |
|---|---|---|"""


def entries() -> Mapping[str, Mapping[str, Any]]:
    """Return what is known of each reason by its name."""
    found: Mapping[str, Mapping[str, Any]] = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    return found


def page() -> str:
    """Return the body of the page."""
    known = sorted(entries().items(), key=lambda item: item[0].lower())
    lines = [INTRODUCTION]
    for name, entry in known:
        conditions = ", ".join(f"`{condition}`" for condition in entry["conditions"])
        lines.append(f"| [{name}](#{name.lower()}) | {conditions} | {entry.get('status', 'False')} |")
    lines.append("")
    for name, entry in known:
        lines += [f"## {name}\n", f"{entry['means']}\n"]
        if not entry["fix"].startswith("–"):
            lines.append(f"**What to do:** {entry['fix']}\n")
        if "edge" in entry:
            lines.append(f"**Mode `Edge`:** {entry['edge']}\n")
    return "\n".join(lines)
