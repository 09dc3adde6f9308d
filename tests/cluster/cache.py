"""A cache of built things outside the checkout, each under a key of everything it was made from."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.cluster.console import run, say, step

UNUSED_SECONDS = 14 * 24 * 3600


def root() -> Path:
    """Return the directory of the cache."""
    if chosen := os.environ.get("CHAINLIT_CACHE"):
        return Path(chosen).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).absolute() / "chainlit-operator"


def key_of(parts: Iterable[str | bytes | Path]) -> str:
    """Return a short hash of texts and of files' contents (a directory counts with all that is in it)."""
    digest = hashlib.sha256()
    for part in parts:
        for chunk in _chunks(part):
            digest.update(len(chunk).to_bytes(8, "big"))
            digest.update(chunk)
    return digest.hexdigest()[:12]


def _chunks(part: str | bytes | Path) -> Iterator[bytes]:
    if isinstance(part, str):
        yield part.encode()
    elif isinstance(part, bytes):
        yield part
    elif part.is_dir():
        for file in sorted(part.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                yield file.relative_to(part).as_posix().encode()
                yield file.read_bytes()
    else:
        yield part.read_bytes()


def entry_path(name: str, key: str) -> Path:
    """Return where the artifact with this name and key is, or would be."""
    return root() / name / key


def entry(name: str, key: str, build: Callable[[Path], None]) -> Path:
    """Return the artifact's directory, calling `build` with an empty directory to fill when it is missing.

    The directory appears under its final name only when complete, so a killed run leaves nothing that looks
    finished. Two runs that want the same artifact wait for each other. Raises what `build` raises.
    """
    final = entry_path(name, key)
    if not final.exists():
        with locked(f"{name}.lock"):
            if not final.exists():
                _make(name, final, build)
    os.utime(final)
    return final


def _make(name: str, final: Path, build: Callable[[Path], None]) -> None:
    scratch = root() / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    final.parent.mkdir(parents=True, exist_ok=True)
    for abandoned in scratch.glob(f"{name}.*"):  # the lock is ours, so whoever made these is gone
        with suppress(OSError):  # a program that it started may still be writing; the next run tries again
            remove_tree(abandoned)
    work = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=scratch))
    work.chmod(0o755)
    try:
        with step(name):
            build(work)
        work.rename(final)
    finally:
        if work.exists():
            remove_tree(work)


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold a lock among all runs that share the cache; it falls when the process ends, however it ends."""
    path = root() / "locks" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"    waiting for another run ({name}) …")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def prune() -> None:
    """Remove artifacts that no run has used for two weeks."""
    oldest = time.time() - UNUSED_SECONDS
    for found in root().glob("*/*"):
        if found.parent.name not in {"locks", "tmp"} and found.is_dir() and found.stat().st_mtime < oldest:
            with locked(f"{found.parent.name}.lock"):
                # Moved away first: half of an artifact must never stand under its final name.
                doomed = root() / "tmp" / f"{found.parent.name}.{found.name}"
                found.rename(doomed)
                remove_tree(doomed)


def remove_tree(path: Path) -> None:
    """Remove a directory; file systems that a killed debootstrap left mounted in it are detached first."""
    table = Path("/proc/self/mounts")
    mounts = [line.split()[1] for line in table.read_text().splitlines()] if table.exists() else []
    for mount in reversed([mount for mount in mounts if mount.startswith(f"{path}/")]):
        run(["umount", "--lazy", mount])
    shutil.rmtree(path)
