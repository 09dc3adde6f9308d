"""The conditions that the operator reports about objects, which are decoded, gathered and decided upon as usual."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from chainlit_operator.domain.conditions import Outcome, report
from chainlit_operator.domain.decide import decide
from chainlit_operator.domain.model import Condition
from chainlit_operator.kinds import registry
from chainlit_operator.state import State
from tests.objects import Object, stored
from tests.records import app_record, record

NAMESPACE = "shop"


def conditions(objects: Iterable[Object], namespace: str = NAMESPACE) -> dict[str, Condition]:
    """Return the conditions of the only ChainlitApp among the objects, by type; verification is off.

    Objects without a namespace are in ``namespace``. Kinds that the operator does not read are left out.
    """
    state = State(lambda _: None)
    apps = []
    for made in objects:
        obj = stored(made, made["metadata"].get("namespace", namespace))
        if obj["kind"] == registry.APP.kind:
            apps.append(app_record(obj))
            state.put_app(apps[-1])
        elif obj["kind"] in registry.WATCHED:
            state.upsert(record(obj))
    (app,) = apps
    snapshot = replace(state.snapshot(app), is_verified=False)
    found = report(snapshot, decide(snapshot), Outcome(snapshot.workload))
    return {condition.type: condition for condition in found.status.conditions}
