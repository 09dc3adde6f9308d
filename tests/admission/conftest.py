"""Fixtures: one API server for all tests, with the chart's defaults, and a namespace for each."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.admission.plane import Plane


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    """An API server with the operator's chart as it is by default."""
    made = Plane(tmp_path_factory.mktemp("plane"))
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
def namespace(plane: Plane) -> str:
    """A namespace of the test's own."""
    name = f"team-{secrets.token_hex(3)}"
    plane.admin.ensure_namespace(name)
    return name
