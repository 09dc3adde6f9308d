"""Several pods behind the edges that can be run: what the app chart sets for a controller keeps browsers at one pod."""

from __future__ import annotations

import asyncio

import pytest

from tests.e2e.chat import ChatError, converse
from tests.e2e.cluster import Space, image_values, set_json
from tests.e2e.demo import QUICK_PROBES
from tests.objects import Object
from tests.waiting import eventually

SESSIONS = 50
#: Sessions that open at the same time.
AT_ONCE = 10
#: Seconds without a word.
IDLE = 180.0

GATEWAY = {"parentRefs": [{"name": "traefik", "namespace": "traefik"}]}
#: Routes of each controller. The chart finds it by the class, except for a TraefikService, which it makes only by name.
ROUTES: dict[str, Object] = {
    "traefik": {"className": "traefik"},
    "traefik-gateway": {"controller": "traefik", "kind": "HTTPRoute", "gateway": GATEWAY},
    "nginx": {"className": "nginx"},
    "contour": {"className": "contour"},
    "contour-proxy": {"kind": "HTTPProxy", "className": "contour"},
}


def put(space: Space, name: str, *, replicas: int = 2, mode: str = "Controller") -> None:
    """Install or upgrade a release called ``name`` at the path of that name."""
    values = {
        "image": image_values(space.cluster.demo_image),
        "fullnameOverride": name,
        "replicaCount": replicas,
        "route": {**ROUTES[name], "path": name, "host": host_of(space, name), "affinity": {"mode": mode}},
        "probes": QUICK_PROBES,
    }
    space.helm("upgrade", "--install", name, "charts/chainlit", *set_json(values))


def host_of(space: Space, name: str) -> str:
    """The host of a release: one of its own, as an HTTPProxy is to have."""
    return f"{name}.{space.host}"


def edge(space: Space, name: str) -> str:
    return space.cluster.contour_edge if name.startswith("contour") else space.cluster.edge


def failures(space: Space, name: str, sessions: int) -> list[str]:
    """Have so many browsers open a session, upload a file and talk; return why each that failed did."""

    async def all_of_them() -> list[str]:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(number: int) -> str:
            text = f"hello from {number}"
            async with gate:
                try:
                    reply = await converse(
                        f"{edge(space, name)}/{name}",
                        text,
                        host=host_of(space, name),
                        timeout=60.0,
                        file=f"file {number}".encode(),
                    )
                except ChatError as error:
                    return str(error)
            return "" if reply == f"echo: {text}" else f"replied {reply!r}"

        return [found for found in await asyncio.gather(*map(one, range(sessions))) if found]

    return asyncio.run(all_of_them())


@pytest.mark.parametrize(
    "name",
    [
        "traefik",
        pytest.param("traefik-gateway", marks=pytest.mark.slow),
        pytest.param("nginx", marks=pytest.mark.slow),
        pytest.param("contour-proxy", marks=pytest.mark.slow),
    ],
)
def test_fifty_browsers_keep_to_their_pods(space: Space, name: str) -> None:
    put(space, name, mode="External")
    eventually(lambda: space.get("Deployment", name)["status"].get("readyReplicas"), lambda n: n == 2)
    without = eventually(lambda: failures(space, name, 8), lambda found: any("socket" in one for one in found))
    assert without, "requests are not spread over the pods, so this test would prove nothing"

    put(space, name)
    eventually(lambda: failures(space, name, AT_ONCE), lambda found: not found)
    assert not failures(space, name, SESSIONS)


@pytest.mark.slow
def test_idle_web_sockets_stay_up(space: Space) -> None:
    """Nobody says anything for three minutes, and then the same connection is used."""
    for name in ROUTES:
        put(space, name, replicas=1)
    for name in ROUTES:
        eventually(lambda: failures(space, name, 1), lambda found: not found)  # noqa: B023

    async def one(name: str) -> str:
        url = f"{edge(space, name)}/{name}"
        return await converse(url, "still there?", host=host_of(space, name), timeout=IDLE + 60, idle=IDLE)

    async def all_of_them() -> list[str]:
        return await asyncio.gather(*map(one, ROUTES))

    assert asyncio.run(all_of_them()) == ["echo: still there?"] * len(ROUTES)
