"""Flux's own helm-controller installs and upgrades the releases of the page on GitOps.

The charts come from this test, in the place of the source-controller: it gives each HelmChart its artifact.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.bench.process import Process
from tests.cluster import golang
from tests.cluster.versions import pinned
from tests.docs import programs
from tests.docs.blocks import of_page
from tests.docs.test_gitops import PAGE, operator, root_path
from tests.docs.world import World
from tests.waiting import eventually

pytestmark = pytest.mark.slow

NAMESPACE = "flux-system"
OPTIONS = ("--metrics-addr=0", "--health-addr=127.0.0.1:0", "--requeue-dependency=1s", "--http-retry=0")


class Quiet(SimpleHTTPRequestHandler):
    """A server of files without a log."""

    def log_message(self, *_: object) -> None:
        """Print nothing."""


class Flux:
    """The helm-controller, and what stands for the source-controller."""

    def __init__(self, world: World, work: Path) -> None:
        self._world = world
        self._charts = work / "charts"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(self._charts)))
        self._log = work / "helm-controller.log"

    def start(self) -> None:
        """Install the definitions and start the controller. Raises ClusterError."""
        world = self._world
        world.run(f"helm package charts/chainlit charts/chainlit-operator --destination {self._charts}")
        for name in ("source-controller", "helm-controller"):
            found = golang.module_info(f"github.com/fluxcd/{name}", pinned().flux[name])["Dir"]
            world.run(f"kubectl apply --server-side --filename {found}/config/crd/bases")
        world.run(f"kubectl create namespace {NAMESPACE}")
        eventually(lambda: world.succeeds("kubectl get helmreleases,helmcharts,gitrepositories"))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        environment = {"KUBECONFIG": world.environment["KUBECONFIG"], "RUNTIME_NAMESPACE": NAMESPACE}
        self._process = Process([str(programs.helm_controller()), *OPTIONS], self._log, environment)

    def stop(self) -> None:
        """Stop the controller and the server."""
        self._process.stop()
        self._server.shutdown()
        self._server.server_close()

    def serve(self) -> None:
        """Give each HelmChart the archive of its chart, as the source-controller does."""
        for chart in self._world.get(f"--namespace {NAMESPACE} helmcharts")["items"]:
            if "artifact" not in chart.get("status", {}):
                self._give(chart)

    def _give(self, chart: dict[str, Any]) -> None:
        (archive,) = self._charts.glob(f"{Path(chart['spec']['chart']).name}-[0-9]*.tgz")
        now = "2026-01-01T00:00:00Z"
        artifact = {
            "url": f"http://127.0.0.1:{self._server.server_port}/{archive.name}",
            "path": archive.name,
            "revision": archive.stem.rpartition("-")[2],
            "digest": f"sha256:{hashlib.sha256(archive.read_bytes()).hexdigest()}",
            "lastUpdateTime": now,
        }
        ready = {"type": "Ready", "status": "True", "reason": "Succeeded", "message": "", "lastTransitionTime": now}
        status = {"observedGeneration": chart["metadata"]["generation"], "conditions": [ready], "artifact": artifact}
        self._world.run(
            f"kubectl patch --namespace {NAMESPACE} helmchart {chart['metadata']['name']} --subresource=status "
            f"--type=merge --patch='{json.dumps({'status': status})}'"
        )

    def ready(self, release: str) -> dict[str, Any]:
        """Return the condition Ready of a HelmRelease of its present generation; empty before it has one."""
        self._process.check()
        found = self._world.get(f"--namespace {NAMESPACE} helmrelease {release}")
        conditions = found.get("status", {}).get("conditions", ())
        generation = found["metadata"]["generation"]
        (ready,) = [each for each in conditions if each["type"] == "Ready"] or [{}]
        return ready if ready.get("observedGeneration") == generation else {}

    def wait(self, release: str) -> None:
        """Wait until a HelmRelease is Ready."""

        def observe() -> dict[str, Any]:
            self.serve()
            return self.ready(release)

        eventually(observe, lambda found: found.get("status") == "True")

    def change(self, release: str, values: dict[str, Any]) -> None:
        """Change values of a HelmRelease, and wait until it is Ready again."""
        patch = json.dumps({"spec": {"values": values}})
        self._world.run(f"kubectl patch --namespace {NAMESPACE} helmrelease {release} --type=merge --patch='{patch}'")
        self.wait(release)

    def reconcile(self, release: str) -> None:
        """Have a HelmRelease reconciled, and wait for the end of it."""
        asked = "reconcile.fluxcd.io/requestedAt"
        self._world.run(f"kubectl annotate --namespace {NAMESPACE} helmrelease {release} {asked}=now")
        get = partial(self._world.get, f"--namespace {NAMESPACE} helmrelease {release}")
        eventually(get, lambda found: found["status"].get("lastHandledReconcileAt") == "now")
        self.wait(release)


@pytest.fixture
def flux(world: World, tmp_path: Path) -> Iterator[Flux]:
    world.begin("new")
    world.directory()
    made = Flux(world, tmp_path)
    made.start()
    yield made
    made.stop()


def manifests() -> Iterator[dict[str, Any]]:
    """Yield the manifests of the page. No Deployment becomes ready here, so nothing waits for one."""
    (block,) = [found for found in of_page(PAGE) if found.file == "releases.yaml"]
    for found in yaml.safe_load_all(block.text):
        if found["kind"] == "HelmRelease":
            found["spec"].setdefault("install", {})["disableWait"] = True
            found["spec"]["upgrade"] = {"disableWait": True}
            found["spec"]["driftDetection"] = {"mode": "enabled"}
        yield found


def test_flux_installs_the_page_and_leaves_the_fields_of_the_operator(world: World, flux: Flux, tmp_path: Path) -> None:
    (world.cwd / "flux.yaml").write_text(yaml.safe_dump_all(manifests()))
    world.run("kubectl apply --filename flux.yaml")
    eventually(lambda: flux.ready("chat").get("reason"), lambda reason: reason == "DependencyNotReady")
    flux.wait("chainlit-operator")
    flux.wait("chat")
    secret = "--namespace team-a secret --selector app.kubernetes.io/instance=chat"
    (generated,) = world.get(secret)["items"]
    with operator(world, tmp_path / "operator.log"):
        eventually(lambda: root_path(world), lambda found: found == "/chat")
        generation = world.get("--namespace team-a deployment chat")["metadata"]["generation"]
        world.run('kubectl patch --namespace team-a service chat --type=merge --patch=\'{"spec": {"selector": null}}\'')
        flux.reconcile("chat")
        # Flux looks for differences: it sets back what Git has.
        eventually(lambda: world.get("--namespace team-a service chat")["spec"].get("selector"))
        assert world.get("--namespace team-a deployment chat")["metadata"]["generation"] == generation
        flux.change("chat", {"podAnnotations": {"team": "support"}})
        deployment = world.get("--namespace team-a deployment chat")
        assert deployment["spec"]["template"]["metadata"]["annotations"]["team"] == "support"
        assert root_path(world) == "/chat"
        assert world.get(secret)["items"][0]["data"] == generated["data"]
