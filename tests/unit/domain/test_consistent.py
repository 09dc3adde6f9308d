"""Defaults of a template that give way to what the user sets."""

from __future__ import annotations

from typing import Any

import pytest

from chainlit_operator.domain.desired import consistent

SURGE = {"maxSurge": 1}
SLEEP, HTTP = {"seconds": 5}, {"port": 8000}


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({"type": "Recreate", "rollingUpdate": SURGE}, {"type": "Recreate"}),
        ({"type": "RollingUpdate", "rollingUpdate": SURGE}, {"type": "RollingUpdate", "rollingUpdate": SURGE}),
        ({"rollingUpdate": SURGE}, {"rollingUpdate": SURGE}),
        ({}, {}),
    ],
)
def test_strategy(given: dict[str, Any], made: dict[str, Any]) -> None:
    assert consistent.strategy(given) == made


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({"preStop": {"sleep": SLEEP}}, {"preStop": {"sleep": SLEEP}}),
        ({"preStop": {"sleep": SLEEP, "httpGet": HTTP}}, {"preStop": {"httpGet": HTTP}}),
        ({"preStop": {"exec": {}, "httpGet": HTTP}}, {"preStop": {"exec": {}, "httpGet": HTTP}}),
        (
            {"postStart": {"httpGet": HTTP}, "preStop": {"sleep": SLEEP, "exec": {}}},
            {"postStart": {"httpGet": HTTP}, "preStop": {"exec": {}}},
        ),
        ({"preStop": None}, {"preStop": None}),
        ({}, {}),
    ],
)
def test_lifecycle(given: dict[str, Any], made: dict[str, Any]) -> None:
    assert consistent.lifecycle(given) == made


@pytest.mark.parametrize(
    ("requests", "limits", "made"),
    [
        ({"memory": "2Gi"}, {"memory": "1Gi", "cpu": "1"}, {"memory": "2Gi", "cpu": "1"}),
        ({"memory": "1Gi"}, {"memory": "1Gi"}, {"memory": "1Gi"}),
        ({"memory": "1024Mi"}, {"memory": "1Gi"}, {"memory": "1Gi"}),
        # A limit of the user's own stays: the API server names the conflict.
        ({"memory": "2Gi"}, {"memory": "1.5Gi"}, {"memory": "1.5Gi"}),
        ({"memory": "3Gi"}, {}, {}),
        (
            {"memory": "3Gi", "ephemeral-storage": "10G"},
            {"memory": "1Gi", "ephemeral-storage": "2Gi"},
            {"memory": "3Gi", "ephemeral-storage": "10G"},
        ),
        ({"cpu": "4"}, {"memory": "1Gi"}, {"memory": "1Gi"}),
    ],
)
def test_resources(requests: dict[str, str], limits: dict[str, str], made: dict[str, str]) -> None:
    claims = [{"name": "gpu"}]
    given = {"requests": requests, "limits": limits, "claims": claims}

    assert consistent.resources(given) == {"requests": requests, "limits": made, "claims": claims}


@pytest.mark.parametrize("given", [{}, {"requests": None, "limits": None}, {"limits": {"memory": "1Gi"}}])
def test_resources_without_requests(given: dict[str, Any]) -> None:
    assert consistent.resources(given) == given


@pytest.mark.parametrize(
    ("quantity", "size"),
    [
        ("1Gi", 2**30),
        ("1.5k", 1500),
        ("2e3", 2000),
        ("2E3", 2000),
        ("3E", 3e18),
        (7, 7),
        ("12.", 12),
        ("1Xi", 0),
        ("1gi", 0),
        ("-1", 0),
        ("", 0),
        (None, 0),
    ],
)
def test_size(quantity: object, size: float) -> None:
    assert consistent.size(quantity) == size
