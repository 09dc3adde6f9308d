"""What the rehearsal of a release compares."""

from __future__ import annotations

from pathlib import Path

from tests.release import rehearsal


def test_a_file_that_two_builds_make_differently_is_named(tmp_path: Path) -> None:
    dist, again = tmp_path / "dist", tmp_path / "again"
    for folder in (dist, again):
        (folder / "python").mkdir(parents=True)
        (folder / "chart.tgz").write_bytes(b"chart")
        (folder / "python/wheel.whl").write_bytes(b"wheel")
    (dist / "image.cdx.json").write_text("made once")
    assert rehearsal.differences(dist, again) == []
    (again / "python/wheel.whl").write_bytes(b"later")
    (dist / "chart.tgz").unlink()
    assert rehearsal.differences(dist, again) == ["chart.tgz", "python/wheel.whl"]
