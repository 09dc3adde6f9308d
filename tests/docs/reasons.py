"""The page of all reasons: a table from A to Z, the order of the rules, then a heading for each reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from chainlit_operator.domain import alignment, session_affinity
from chainlit_operator.domain.resolution import chain, conflicts, rules, together

DATA = Path(__file__).with_name("reasons.yaml")

INTRODUCTION = """\
`kubectl get chainlitapp` shows the reason of condition `Ready`. `kubectl describe chainlitapp NAME` shows all
conditions, with messages that name the object, the field and the fix:

| condition | True means |
|---|---|
| `RouteResolved` | the operator found the route, and it gives the app one path |
| `Aligned` | the workload has this path: variables and probe paths |
| `SessionAffinity` | all requests of a browser reach one process |
| `WebSocketReachable` | handshake, WebSocket upgrade, page, script of the page and project settings work |
| `Ready` | all others are True; otherwise it has status and reason of the first one that is not. \
`SessionAffinity` counts only where it is False |

Mode `Auto` of `spec.verification` sends the requests to the Service and to the public URL, where only what proves a
fault is one ([EdgeNotJudged](#edgenotjudged)). Mode `Backend` sends them to the Service. Mode `Edge` sends them to the
public URL; if that fails, the operator tests the Service too, and the message first says on which side the fault is.
[Routes](routes.md) lists each form of route with its result. [Troubleshoot](../how-to/troubleshoot.md) has a decision
tree.

| reason | condition | status |
|---|---|---|"""


def entries() -> Mapping[str, Mapping[str, Any]]:
    """Return what is known of each reason by its name."""
    found: Mapping[str, Mapping[str, Any]] = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    return found


ORDER = """\
## The order of the rules

The operator runs these rules in this order. The first one that fails gives the reason; the message of the condition
has the details. A route is resolved when all of the first four lists pass, and the workload is written when all of the
last one pass too.
"""
LISTS: tuple[tuple[str, Sequence[Any]], ...] = (
    ("RouteResolved, before a route is read", chain.APP_RULES),
    ("RouteResolved, for each route", rules.RULES),
    ("RouteResolved, for all routes together", together.RULES),
    ("RouteResolved, against other routes", conflicts.RULES),
    ("Aligned", alignment.RULES),
)


def _order() -> Iterator[str]:
    """Print the lists of rules from the code: the docstring of each rule says what must be the case."""
    yield ORDER
    for title, found in LISTS:
        yield f"**{title}**\n"
        for number, rule in enumerate(found, 1):
            text = " ".join((rule.fault.__doc__ or "").split())
            yield f"{number}. {text} Otherwise: [{rule.reason}](#{rule.reason.lower()})"
        yield ""
    yield "**SessionAffinity** (the first rule that applies gives status and reason)\n"
    for number, found_rule in enumerate(session_affinity.RULES, 1):
        text, reason = " ".join((found_rule.applies.__doc__ or "").split()), found_rule.reason
        yield f"{number}. {text} Then it is {found_rule.status}: [{reason}](#{reason.lower()})"
    yield ""


def page() -> str:
    """Return the body of the page."""
    known = sorted(entries().items(), key=lambda item: item[0].lower())
    lines = [INTRODUCTION]
    for name, entry in known:
        conditions = ", ".join(f"`{condition}`" for condition in entry["conditions"])
        lines.append(f"| [{name}](#{name.lower()}) | {conditions} | {entry.get('status', 'False')} |")
    lines += ["", *_order()]
    for name, entry in known:
        lines += [f"## {name}\n", f"{entry['means']}\n"]
        if not entry["fix"].startswith("–"):
            lines.append(f"**What to do:** {entry['fix']}\n")
        if "edge" in entry:
            lines.append(f"**Mode `Edge`:** {entry['edge']}\n")
    return "\n".join(lines)
