"""Fixtures: one cluster without nodes for all pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.docs.world import World
from tests.starting import started


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with started(World(tmp_path_factory.mktemp("world"))) as made:
        yield made
