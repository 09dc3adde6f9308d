"""Objects come in any order: on the way the conditions say what is missing, in the end all orders are alike."""

from __future__ import annotations

from itertools import permutations

import pytest

from tests.e2e.cluster import Space
from tests.e2e.demo import container, workload
from tests.objects import Object, chainlit_app, ingress, service

KINDS = ("ChainlitApp", "Deployment", "Service", "Ingress")
#: The links of the chain in the order in which the operator follows them, each with the reason if it is missing.
LINKS = (("Deployment", "WorkloadNotFound"), ("Service", "ServiceNotFound"), ("Ingress", "RouteNotFound"))


@pytest.mark.parametrize("first", KINDS)
def test_any_order(space: Space, first: str) -> None:
    for number, order in enumerate(order for order in permutations(KINDS) if order[0] == first):
        name = f"chat-{number}"
        objects: dict[str, Object] = {
            "ChainlitApp": chainlit_app(name, workload=name),
            "Deployment": workload(container(space.cluster.demo_image), name=name, replicas=0),
            "Service": service(name),
            "Ingress": ingress(space.host, f"/{name}", name),
        }
        there: set[str] = set()
        for kind in order:
            space.create(objects[kind])
            there.add(kind)
            if "ChainlitApp" not in there:
                continue
            missing = [(link, reason) for link, reason in LINKS if link not in there]
            if missing:
                link, reason = missing[0]
                found = space.await_condition("RouteResolved", "False", reason, name)
                assert link in found.message, f"{order}: {found.message}"
                assert space.condition("Ready", name).status == "False"
            else:
                space.await_condition("Ready", "Unknown", "ScaledToZero", name)
                space.await_condition("Aligned", "True", "Aligned", name)
                assert space.variable(name) == f"/{name}"
