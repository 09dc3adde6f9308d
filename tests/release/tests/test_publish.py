"""Whose signatures count, and which packages an image must have on each of its platforms."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cluster.errors import ClusterError
from tests.release import publish, sbom
from tests.release.table import IMAGES

JOB = {
    "GITHUB_SERVER_URL": "https://example.com",
    "GITHUB_WORKFLOW_REF": "team/operator/.github/workflows/release.yaml@refs/tags/v1.2.3",
}


def test_a_job_trusts_only_its_own_workflow_and_tag() -> None:
    identity, issuer = publish.by_job(JOB)
    assert identity == f"--certificate-identity=https://example.com/{JOB['GITHUB_WORKFLOW_REF']}"
    assert issuer == f"--certificate-oidc-issuer={publish.ISSUER}"


@pytest.mark.parametrize("missing", JOB)
def test_outside_of_github_nobody_signs_as_a_job(missing: str) -> None:
    with pytest.raises(ClusterError, match="only a job of GitHub"):
        publish.by_job({name: value for name, value in JOB.items() if name != missing})


def test_a_package_that_one_platform_lacks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (image,) = (image for image in IMAGES if image.name == "chainlit-operator")
    lock = sbom.pinned(image.built.requirements)
    gone = min(lock)
    held = {"linux/amd64": lock, "linux/arm64": {name: lock[name] for name in lock if name != gone}}
    monkeypatch.setattr(sbom, "installed", lambda _, platform: held[platform])
    publish.list_packages(image, "registry.example.com/x", tmp_path, ["linux/amd64"])
    with pytest.raises(ClusterError, match=f"x linux/arm64 is not made of .*\n  {gone}: the image has none"):
        publish.list_packages(image, "registry.example.com/x", tmp_path, list(held))
