"""``helm test`` of the app chart: it passes where the app can be used, and fails where only a status code says so."""

from __future__ import annotations

from tests.e2e.cluster import START, CommandError, Space, image_values, set_json
from tests.e2e.demo import QUICK_PROBES
from tests.objects import Object
from tests.waiting import eventually

#: An image that starts Chainlit at a path of its own, whatever the chart says; its pod is ready, as nothing probes it.
ELSEWHERE = ["sh", "-c", "unset CHAINLIT_ROOT_PATH; exec chainlit run /app/app.py --headless"]
NO_PROBES = {kind: {"enabled": False} for kind in ("startup", "liveness", "readiness")}
PROBES = {kind: {"enabled": True} | QUICK_PROBES[kind] for kind in ("startup", "readiness")}


def put(space: Space, *wait: str, **values: object) -> None:
    """Install or upgrade the release; with ``--wait`` until its pods are ready."""
    given: Object = {
        "image": image_values(space.cluster.demo_image),
        "fullnameOverride": "chat",
        "route": {"controller": "traefik", "className": "traefik", "host": space.host, "path": "/chat"},
        "strategy": {"type": "Recreate", "rollingUpdate": None},
        "terminationGracePeriodSeconds": 1,
        "lifecycle": {"preStop": None},
        "tests": {
            "image": image_values(space.cluster.operator_image),
            "connectTo": "traefik.traefik.svc",
            "waitSeconds": 0,
        },
        **values,
    }
    space.helm("upgrade", "--install", "chat", "charts/chainlit", *wait, *set_json(given))


def said(space: Space, test: str) -> str:
    """What a test's pod said."""
    return space.kubectl("logs", f"chat-test-{test}").strip()


def test_helm_test_tells_whether_the_app_can_be_used(space: Space) -> None:
    put(space, chainlit={"command": ELSEWHERE}, probes=NO_PROBES)

    def complaint(test: str) -> str:
        try:
            space.helm("test", "chat")
        except CommandError:
            line = said(space, test)
            assert "\n" not in line
            return line
        return ""

    # At first nothing listens yet, and then a probe of / may take the app longer than it has.
    line = eventually(lambda: complaint("service"), lambda text: "RootPathIgnored" in text, timeout=2 * START)
    assert line.startswith("chainlit-operator: http://chat.")

    put(space, "--wait", chainlit={"command": []}, probes=PROBES)
    space.await_answer("/chat")
    eventually(lambda: complaint("service"), lambda text: not text)  # its pods have ten seconds for a try
    assert "answered: Engine.IO handshake, " in said(space, "service")
    assert f"http://{space.host}/chat/ answered: Engine.IO handshake, " in said(space, "route")
    assert f"work at http://{space.host}/chat/, requested as browsers do." in said(space, "route")

    space.move("/moved")
    line = eventually(lambda: complaint("route"), lambda text: "failed" in text)
    assert line.startswith(f"chainlit-operator: http://{space.host}/chat/ failed: HandshakeNotFound")
