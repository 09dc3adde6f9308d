"""Fixtures: one API server for all tests, with the chart's defaults, and a namespace for each."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.admission.plane import Plane
from tests.starting import started


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    """An API server with the operator's chart as it is by default."""
    with started(Plane(tmp_path_factory.mktemp("plane"))) as made:
        yield made


@pytest.fixture
def namespace(plane: Plane) -> str:
    """A namespace of the test's own."""
    name = f"team-{secrets.token_hex(3)}"
    plane.admin.ensure_namespace(name)
    return name
