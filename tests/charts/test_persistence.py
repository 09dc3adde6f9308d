"""Files of the app's own: a claim beside the app root, and a rollout that can end."""

from __future__ import annotations

import pytest

from .rendering import Object, app, refusal

IMAGE: Object = {"image": {"repository": "example/chat"}}
SHARED = ["ReadWriteMany"]


def test_nothing_is_claimed_by_default() -> None:
    release = app()
    assert not release.all("PersistentVolumeClaim")
    assert {volume["name"] for volume in release.pod()["spec"]["volumes"]} == {"tmp", "app-root"}


def test_claim_is_mounted_and_kept() -> None:
    release = app({"persistence": {"enabled": True, "size": "5Gi", "storageClass": "fast", "subPath": "a"}})
    claim = release.one("PersistentVolumeClaim")
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert claim["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "fast",
        "resources": {"requests": {"storage": "5Gi"}},
    }
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": claim["metadata"]["name"]}}
    assert volume in release.pod()["spec"]["volumes"]
    assert {"name": "data", "mountPath": "/data", "subPath": "a"} in release.container()["volumeMounts"]
    assert release.env()["CHAINLIT_APP_ROOT"] == "/chainlit"  # an emptyDir as before


def test_claim_of_ones_own() -> None:
    release = app({"persistence": {"enabled": True, "existingClaim": "mine", "mountPath": "/var/index"}})
    assert not release.all("PersistentVolumeClaim")
    assert {"name": "data", "persistentVolumeClaim": {"claimName": "mine"}} in release.pod()["spec"]["volumes"]
    assert {"name": "data", "mountPath": "/var/index"} in release.container()["volumeMounts"]


@pytest.mark.parametrize(
    ("modes", "kind"),
    [
        (["ReadWriteOnce"], "Recreate"),
        (["ReadWriteOncePod"], "Recreate"),
        (SHARED, "RollingUpdate"),
        (["ReadWriteOnce", "ReadWriteMany"], "RollingUpdate"),
    ],
)
def test_two_pods_never_wait_for_one_volume(modes: list[str], kind: str) -> None:
    release = app({"persistence": {"enabled": True, "accessModes": modes}})
    strategy = release.one("Deployment")["spec"]["strategy"]
    assert strategy["type"] == kind
    assert ("rollingUpdate" in strategy) is (kind == "RollingUpdate")


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        pytest.param(
            {"chainlit": {"appRoot": {"volume": {"persistentVolumeClaim": {"claimName": "chat"}}}}},
            ["chainlit.appRoot.volume", "use persistence"],
            id="app-root",
        ),
        *(
            pytest.param(
                {"persistence": {"enabled": True, "mountPath": path}}, [f"mountPath {path}", "such as /data"], id=path
            )
            for path in ("/chainlit", "/chainlit/", "/chainlit/.files", "/tmp")
        ),
        pytest.param(
            {"persistence": {"enabled": True}, "replicaCount": 2, "route": {"controller": "traefik"}},
            ["persistence.accessModes", "replicaCount", "ReadWriteMany"],
            id="several-pods",
        ),
        pytest.param(
            {"persistence": {"enabled": True}, "autoscaling": {"enabled": True}, "route": {"controller": "traefik"}},
            ["persistence.accessModes", "autoscaling.maxReplicas"],
            id="autoscaler",
        ),
    ],
)
def test_refused_with_the_remedy(values: Object, parts: list[str]) -> None:
    (line,) = [line for line in refusal("chainlit", {**IMAGE, **values}).splitlines() if "execution error" in line]
    for part in parts:
        assert part in line
