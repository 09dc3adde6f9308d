"""Fixtures: one cluster without nodes for all pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.docs.world import World


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("world"))
    try:
        made.start()
        yield made
    finally:
        made.stop()
