"""The operator's own account is confined by the API server, on a cluster with all its controllers."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.e2e.cluster import OPERATOR, OPERATOR_NAMESPACE, CommandError, Operator, Space, run
from tests.e2e.demo import container, workload
from tests.waiting import eventually

ACCOUNT = f"system:serviceaccount:{OPERATOR_NAMESPACE}:{OPERATOR}"


ROUTE_POLICY = (
    "charts/chainlit-operator",
    "--show-only=templates/admissionpolicy-routes.yaml",
    "--set=routePolicy.enabled=true",
)


@pytest.fixture
def route_policy(space: Space) -> Iterator[None]:
    """The policy on routes, for warnings only."""
    warn = "--set=routePolicy.validationActions={Warn}"
    policy = run("helm", "template", OPERATOR, *ROUTE_POLICY, warn, "--namespace", space.name)
    run("kubectl", "apply", "--filename=-", stdin=policy)
    yield
    run("kubectl", "delete", "--filename=-", stdin=policy)


def test_policies_have_no_warnings(operator: Operator, route_policy: None) -> None:
    """The controller-manager checks expressions against the types of what they match."""

    def statuses() -> list[dict[str, object]]:
        found = run("kubectl", "get", "validatingadmissionpolicies", "--output=json")
        policies = (p for p in json.loads(found)["items"] if p["metadata"]["name"].startswith(f"{OPERATOR}."))
        return [policy.get("status", {}) for policy in policies]

    for status in eventually(
        statuses, lambda found: len(found) > 2 and all("typeChecking" in status for status in found)
    ):
        assert status["typeChecking"] == {}, status


def test_account_cannot_change_an_image(space: Space) -> None:
    deployment = workload(container(space.cluster.demo_image), replicas=0)
    space.create(deployment)
    deployment["spec"]["template"]["spec"]["containers"][0]["image"] = "evil"
    apply = ("apply", "--server-side", "--force-conflicts", "--validate=false", "--as", ACCOUNT, "--filename", "-")
    with pytest.raises(CommandError, match=r"(?s)ValidatingAdmissionPolicy .*containers\[chainlit\]\.image"):
        space.kubectl(*apply, stdin=json.dumps(deployment))
