"""Fixtures: each test asks the controllers themselves, not the answers to tests before it."""

from __future__ import annotations

import pytest

from chainlit_operator.ingress_controllers import registry


@pytest.fixture(autouse=True)
def _empty_caches() -> None:
    for found in vars(registry).values():
        if hasattr(found, "cache_clear"):
            found.cache_clear()
