"""What the garbage collector is spared, from the start to the end of the first wave of work."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from chainlit_operator.observability import gc_tuning


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    usual = gc.get_threshold()
    yield
    gc.set_threshold(*usual)
    gc.unfreeze()


def test_the_collector_runs_rarely_until_the_start_is_over() -> None:
    usual = gc.get_threshold()
    gc_tuning.collect_rarely()
    assert gc.get_threshold()[0] > 10 * usual[0]
    gc_tuning.freeze_listed()
    assert gc.get_threshold()[0] > 10 * usual[0]
    gc_tuning.freeze_and_trim()
    assert gc.get_threshold() == usual


@pytest.mark.parametrize("spare", [gc_tuning.freeze_listed, gc_tuning.freeze_and_trim])
def test_what_is_there_is_not_looked_at_again(spare: object) -> None:
    gc.unfreeze()
    kept = [[n] for n in range(1000)]
    assert callable(spare)
    spare()
    assert gc.get_freeze_count() > len(kept)
