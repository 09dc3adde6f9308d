"""The table of releases and the page that is printed from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cluster.images import RELEASES
from tests.cluster.versions import pinned
from tests.releases import CURRENT, MOUNTS, ROWS, Mount, page
from tests.unit.domain.world import app, ingress, snapshot

from chainlit_operator.domain import paths
from chainlit_operator.domain.model import Rewrite
from chainlit_operator.domain.resolution import Resolved, resolve


def test_page_is_up_to_date() -> None:
    written = (Path(__file__).parents[2] / "docs/reference/compatibility.md").read_text()
    assert written == "\n".join(page()) + "\n", "python -m tests.releases > docs/reference/compatibility.md"


def test_each_release_is_tried_behind_both_routes() -> None:
    assert {(row.release, row.strips) for row in ROWS} == {(r, s) for r in (*RELEASES, CURRENT) for s in (False, True)}
    assert pinned().chainlit == CURRENT


@pytest.mark.parametrize("mount", MOUNTS, ids=str)
def test_address_of_a_mounted_app(mount: Mount) -> None:
    chat = app(mount_path=mount.path, rewrite=Rewrite.STRIP if mount.strips else Rewrite.AUTO)
    found = resolve(snapshot(ingress(mount.route), app=chat))
    assert isinstance(found, Resolved)
    assert found.url == f"http://example.com{mount.url}/"
    assert found.app_prefix == (mount.path if mount.strips else mount.url)
    assert paths.problem(mount.path) is None
