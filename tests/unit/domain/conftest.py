"""What all tests of the domain begin with."""

from __future__ import annotations

import pytest

from chainlit_operator.domain import expressions
from chainlit_operator.domain.resolution import path_overrides


@pytest.fixture(autouse=True, scope="module")
def nothing_is_remembered() -> None:
    """Answers that were kept before a change of the code would hide it from the tests."""
    expressions._read.cache_clear()
    expressions.prefixes.cache_clear()
    path_overrides._requests_of.cache_clear()
