"""Settings of Hypothesis and of the event loop for all unit tests."""

from asyncio import AbstractEventLoop
from collections.abc import Callable, Mapping

import pytest
import uvloop
from hypothesis import settings

# What an example takes depends on what else the machine does; how fast the operator is, is measured elsewhere.
settings.register_profile("unit", deadline=None)
settings.load_profile("unit")


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], AbstractEventLoop]]:
    """Run on the loop that the operator runs on: its errors are worded and timed in its own way."""
    return {"uvloop": uvloop.new_event_loop}
