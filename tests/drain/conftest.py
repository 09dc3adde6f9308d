"""What the tests of the drain have in common."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.drain.signals import Signal


@pytest.fixture
def signal(tmp_path: Path) -> Signal:
    return Signal(str(tmp_path / "end"))
