"""The cache: keys, and that nothing half-made is ever taken for finished."""

import os
import time
from pathlib import Path

import pytest
from tests.cluster import cache


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINLIT_CACHE", str(tmp_path / "cache"))


def test_a_key_tells_parts_apart() -> None:
    assert cache.key_of(["ab", "c"]) != cache.key_of(["a", "bc"])
    assert cache.key_of(["a", b"b"]) == cache.key_of(["a", b"b"])


def test_a_key_of_files_follows_contents_and_names_but_not_times(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a").write_text("one")
    first = cache.key_of([folder])
    os.utime(folder / "a", (1, 1))
    assert cache.key_of([folder]) == first
    (folder / "a").rename(folder / "b")
    renamed = cache.key_of([folder])
    assert renamed != first
    (folder / "b").write_text("two")
    assert cache.key_of([folder]) not in {first, renamed}


def test_an_artifact_is_built_once() -> None:
    built = []

    def build(into: Path) -> None:
        built.append(into)
        (into / "file").write_text("done")

    first = cache.entry("thing", "key", build)
    assert cache.entry("thing", "key", build) == first
    assert (first / "file").read_text() == "done"
    assert len(built) == 1


def test_a_failed_build_leaves_nothing_and_is_tried_again() -> None:
    def fail(into: Path) -> None:
        (into / "half").write_text("")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        cache.entry("thing", "key", fail)
    assert not cache.entry_path("thing", "key").exists()
    assert list((cache.root() / "tmp").iterdir()) == []
    assert not (cache.entry("thing", "key", lambda into: None) / "half").exists()


def test_what_a_killed_run_left_is_cleared_away() -> None:
    abandoned = cache.root() / "tmp" / "thing.abc"
    abandoned.mkdir(parents=True)
    other = cache.root() / "tmp" / "another.abc"
    other.mkdir()
    cache.entry("thing", "key", lambda into: None)
    assert not abandoned.exists()
    assert other.exists()  # its lock is not held, so its owner may be at work


def test_only_what_is_long_unused_is_pruned() -> None:
    old = cache.entry("thing", "old", lambda into: None)
    used = cache.entry("thing", "used", lambda into: None)
    long_ago = time.time() - cache.UNUSED_SECONDS - 60
    os.utime(old, (long_ago, long_ago))
    os.utime(used, (long_ago, long_ago))
    cache.entry("thing", "used", lambda into: None)
    cache.prune()
    assert not old.exists()
    assert used.exists()


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHAINLIT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache.root() == Path("/somewhere/chainlit-operator")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/someone")
    assert cache.root() == Path("/home/someone/.cache/chainlit-operator")
