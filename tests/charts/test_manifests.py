"""What the charts render is what Kubernetes 1.34 to 1.37 and custom resources' definitions know, and runs well."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.cluster import tools
from tests.cluster.versions import pinned

from . import openapi
from .controllers import GOLDEN
from .rendering import Object, Rendered, app, load_all, operator
from .test_charts_common import RENDERS

#: Kinds whose definitions no Go module of a sensible size carries; the golden files hold them to their documentation.
UNKNOWN = {
    "BackendConfig": "GKE's own, not published as a definition",
    "GCPBackendPolicy": "GKE's own, not published as a definition",
    "HealthCheckPolicy": "GKE's own, not published as a definition",
    "BackendTrafficPolicy": "Envoy Gateway's",
    "DestinationRule": "Istio's",
    "KongUpstreamPolicy": "Kong's",
    "ClientSettingsPolicy": "NGINX Gateway Fabric's",
    "UpstreamSettingsPolicy": "NGINX Gateway Fabric's",
}


def _renderings() -> list[Object]:
    """Return all objects that the charts are rendered to by the tests of this directory that share their values."""
    cases: list[Any] = [case.values for case in RENDERS]
    rendered = [item for render, values in cases for item in render(values).objects]
    golden = [item for file in sorted(GOLDEN.glob("*.yaml")) for item in load_all(file.read_text(encoding="utf-8"))]
    return [*rendered, *golden]


def conform(version: str, objects: Sequence[Object]) -> Object:
    """Return kubeconform's report on objects for one release of Kubernetes."""
    locations = [option for place in openapi.schemas() for option in ("-schema-location", place)]
    options = ["-strict", "-summary", "-output", "json", "-skip", ",".join(UNKNOWN), "-kubernetes-version"]
    told = subprocess.run(
        [tools.kubeconform(), *options, version.removeprefix("v"), *locations],
        input="\n---\n".join(map(json.dumps, objects)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.stdout, told.stderr
    report: Object = json.loads(told.stdout)
    return report


@pytest.mark.parametrize("version", pinned().charts_kubernetes)
def test_every_release_of_kubernetes_knows_all_fields(version: str) -> None:
    objects = _renderings()
    report = conform(version, objects)
    assert not report["resources"]  # where only what is wrong is told
    assert report["summary"]["valid"] + report["summary"]["skipped"] == len(objects)
    assert report["summary"]["skipped"] == sum(item["kind"] in UNKNOWN for item in objects)


@pytest.mark.parametrize("version", pinned().charts_kubernetes)
@pytest.mark.parametrize(
    ("kind", "values"),
    [("Deployment", {}), ("Service", {}), ("Ingress", {}), ("ChainlitApp", {"operator": {"enabled": True}})],
)
def test_a_field_that_nobody_knows_is_told(version: str, kind: str, values: Object) -> None:
    item = app(values).one(kind)
    wrong = {**item, "spec": {**item["spec"], "noSuchField": 1}}
    (told,) = conform(version, [item, wrong])["resources"]
    assert "noSuchField" in told["msg"]


#: What kube-score finds critical and is meant to be so. An option of its own leaves out limits on CPU: throttled, an
#: event loop misses heartbeats and Leases.
MEANT = {
    "container-image-pull-policy": "Kubernetes asks for `latest` every time; a pinned tag or digest does not change",
    "pod-probes-identical": "Chainlit answers one address only; the liveness probe is the more patient one",
}
#: And what is for the owner of the cluster to switch on.
OPTIONAL = {"pod-networkpolicy": "what may be reached is known there only"}


def critical(objects: Sequence[Object], ignored: Sequence[str] = ()) -> set[str]:
    """Return the checks of kube-score that find something critical, beside those to ignore."""
    told = subprocess.run(
        [tools.kube_score(), "score", "--output-format=json", "--ignore-container-cpu-limit", "-"],
        input="\n---\n".join(map(json.dumps, objects)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.stdout, told.stderr
    checks = [check for item in json.loads(told.stdout) for check in item["checks"]]
    assert checks
    return {check["check"]["id"] for check in checks if check["grade"] == 1 and not check["skipped"]} - set(ignored)


@pytest.mark.parametrize(
    ("rendered", "values"),
    [
        pytest.param(app, {"image": {"tag": "1.4.0"}}, id="chainlit"),
        pytest.param(operator, {}, id="operator"),
    ],
)
def test_kube_score_finds_nothing_critical_by_default(rendered: Callable[..., Rendered], values: Object) -> None:
    assert not critical(rendered(values).objects, [*MEANT, *OPTIONAL])


@pytest.mark.parametrize(
    ("rendered", "values"),
    [
        pytest.param(
            app,
            {
                "image": {"tag": "1.4.0"},
                "autoscaling": {"enabled": True},
                "route": {"controller": "traefik"},
                "networkPolicy": {"enabled": True},
                "tests": {"enabled": False},  # pods that end at once
            },
            id="chainlit",
        ),
        pytest.param(operator, {"replicaCount": 2, "networkPolicy": {"enabled": True}}, id="operator"),
    ],
)
def test_kube_score_finds_nothing_critical_in_production(rendered: Callable[..., Rendered], values: Object) -> None:
    assert not critical(rendered(values).objects, list(MEANT))


def test_what_is_meant_to_be_critical_still_is() -> None:
    """An exception that nothing needs any more is one to strike out."""
    found = critical(app({"image": {"tag": "1.4.0"}}).objects) | critical(operator().objects)
    assert found == MEANT.keys() | OPTIONAL.keys()
