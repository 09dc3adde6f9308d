"""The bench with a few apps, for what it counts: one write for each alignment, none when nothing matters."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench import __main__ as bench
from tests.bench import phases
from tests.bench.controlplane import ControlPlane
from tests.bench.process import operator_in_pod

APPS = 20


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[ControlPlane]:
    found = ControlPlane(tmp_path)
    try:
        bench.prepare(found, APPS)
        yield found
    finally:
        found.stop()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_each_alignment_is_one_write_of_the_workload_and_one_of_the_status(
    plane: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phases, "UPDATES", 5 * APPS)
    order = ("cold", "warm", "noop", "route", "burst")
    found = asyncio.run(bench.measure(plane, APPS, operator_in_pod(), tmp_path / "operator.log", order))
    for phase in ("cold", "route", "burst"):
        requests = found[phase]["requests"]
        assert requests["patch deployments"] == requests["update chainlitapps/status"] == APPS, phase
    assert found["warm"]["writes"] == 0
    assert found["noop"]["work_requests"] == 0
