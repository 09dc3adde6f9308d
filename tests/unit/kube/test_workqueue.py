"""The keyed queue: coalescing, exclusion by key, back-off, closing."""

from __future__ import annotations

import asyncio

import pytest

from chainlit_operator.kube.workqueue import WorkQueue


def queue() -> WorkQueue[str]:
    return WorkQueue(lambda failures: 0.001 * failures)


async def test_a_key_is_given_out_once_however_often_it_was_added() -> None:
    q = queue()
    for key in ("a", "b", "a", "a"):
        q.add(key)
    assert [await q.get(), await q.get()] == ["a", "b"]
    assert len(q) == 0


async def test_a_key_added_while_worked_on_comes_back_after_it() -> None:
    q = queue()
    q.add("a")
    assert await q.get() == "a"
    q.add("a")
    q.add("a")
    other = asyncio.create_task(q.get())
    await asyncio.sleep(0)
    assert not other.done(), "no two workers on one key"
    q.done("a")
    assert await other == "a"
    q.done("a")
    assert q.is_idle


async def test_retries_pause_longer_each_time_until_forgotten() -> None:
    q = queue()
    assert [q.retry("a"), q.retry("a")] == [0.001, 0.002]
    assert await asyncio.wait_for(q.get(), 10) == "a"
    q.done("a")
    q.forget("a")
    assert q.retry("a") == 0.001


async def test_a_change_overtakes_a_pause() -> None:
    q: WorkQueue[str] = WorkQueue(lambda _: 3600.0)
    q.retry("a")
    q.add("a")
    assert await asyncio.wait_for(q.get(), 10) == "a"
    q.done("a")
    assert q.is_idle


async def test_forgetting_ends_the_pause_for_good() -> None:
    q = queue()
    q.retry("a")
    q.forget("a")
    await asyncio.sleep(0.01)
    assert q.is_idle


@pytest.mark.parametrize("is_closed", [False, True])
async def test_a_cleared_queue_has_nothing_and_remembers_no_failure(is_closed: bool) -> None:
    q = queue()
    q.add("a")
    q.retry("b")
    if is_closed:
        q.close()
    q.clear()
    assert q.is_idle and q.retry("b") == 0.001
    assert await asyncio.wait_for(q.get(), 10) == (None if is_closed else "b")
    q.add("a")
    assert await asyncio.wait_for(q.get(), 10) == (None if is_closed else "a")


async def test_closed_queue_gives_out_nothing_more_to_anybody() -> None:
    q = queue()
    waiting = [asyncio.create_task(q.get()) for _ in range(3)]
    await asyncio.sleep(0)
    q.add("a")
    q.close()
    got = await asyncio.gather(*waiting)
    assert got == [None, None, None]
    assert await q.get() is None


async def test_the_first_wave_is_over_when_each_key_was_worked_on_once() -> None:
    queue = WorkQueue[str](lambda _: 60.0)
    for name in ("a", "b"):
        queue.add(name)
    is_over = queue.worked(["a", "b"])
    for expected in (False, True):
        key = await queue.get()
        assert key is not None and not is_over.is_set()
        queue.add(key)  # a key that comes back counts, and so does a failure
        queue.retry(key)
        queue.done(key)
        assert is_over.is_set() is expected


def test_a_wave_without_keys_is_over_at_once() -> None:
    assert WorkQueue[str](lambda _: 60.0).worked([]).is_set()
