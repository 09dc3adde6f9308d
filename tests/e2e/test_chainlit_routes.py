"""The route table that the unit tests use is that of the pinned wheel."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import chainlit_routes


@pytest.mark.slow
def test_the_table_is_that_of_the_pinned_wheel(tmp_path: Path) -> None:
    wheel = chainlit_routes.pinned_wheel(tmp_path)
    assert chainlit_routes.FILE.read_text(encoding="utf-8") == chainlit_routes.table(wheel)
