"""Facts about Chainlit, beside the route table of the pinned release."""

from __future__ import annotations

from tests.chainlit_routes import FILE
from tests.cluster.versions import pinned

from chainlit_operator.domain.chainlit import OWN_SEGMENTS, PROBE_ENDPOINTS, SOCKET

#: A page of the front end, which the catch-all route serves: the chat opens an element there in a window of its own.
PAGES = {"element"}


def test_own_segments_are_those_of_the_route_table() -> None:
    release, *routes = FILE.read_text(encoding="utf-8").splitlines()
    assert release == f"chainlit {pinned().chainlit}", "python -m tests.chainlit_routes"
    found = {route.split("/")[1] for route in routes} - {""}
    assert found | PAGES == OWN_SEGMENTS
    assert {f"/{SOCKET}", *PROBE_ENDPOINTS} <= set(routes)
