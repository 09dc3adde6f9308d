"""Certificates for the cluster's edge, made by openssl when needed, and the authority that the operator knows."""

from __future__ import annotations

import base64
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.kube import Kube, KubeError
from tests.objects import Object, resource

_EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, in PEM."""

    certificate: str
    key: str

    def secret(self, name: str) -> Object:
        """Return a Secret that holds them."""
        data = {"tls.crt": _coded(self.certificate), "tls.key": _coded(self.key)}
        return resource("Secret", name, type="kubernetes.io/tls", data=data)


def authority() -> Pair:
    """Make a certificate authority."""
    with tempfile.TemporaryDirectory() as folder:
        cert, key = Path(folder, "cert"), Path(folder, "key")
        _openssl(
            *("req", "-x509", *_EC, "-subj", "/CN=chainlit-operator tests", "-days", "30"),
            *("-keyout", str(key), "-out", str(cert)),
        )
        return Pair(cert.read_text(), key.read_text())


def issue(by: Pair, host: str, *, days: int = 2) -> Pair:
    """Make a certificate for a host; with ``days`` -1 it has expired."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "ca.crt").write_text(by.certificate)
        (folder / "ca.key").write_text(by.key)
        (folder / "names").write_text(f"subjectAltName=DNS:{host}\n")  # CN has room for 64 characters only
        cert, key, request = folder / "cert", folder / "key", folder / "request"
        _openssl("req", "-new", *_EC, "-subj", "/CN=chat", "-keyout", str(key), "-out", str(request))
        _openssl(
            *("x509", "-req", "-in", str(request), "-out", str(cert), "-days", str(days)),
            *("-CA", str(folder / "ca.crt"), "-CAkey", str(folder / "ca.key"), "-CAcreateserial"),
            *("-extfile", str(folder / "names")),
        )
        return Pair(cert.read_text(), key.read_text())


def ensure_known_authority(kube: Kube, namespace: str, name: str) -> None:
    """Make an authority for the operator to know, once for the cluster: a ConfigMap for it, a Secret for the tests."""
    if kube.find("Secret", namespace, name) is None:
        try:
            kube.create(authority().secret(name), namespace)
        except KubeError as error:
            if error.code != 409:
                raise
    data = {"ca.crt": known_authority(kube, namespace, name).certificate}
    kube.apply(resource("ConfigMap", name, data=data), namespace, "tests.e2e")


def known_authority(kube: Kube, namespace: str, name: str) -> Pair:
    """Return the authority that the operator knows."""
    data = kube.get("Secret", namespace, name)["data"]
    return Pair(_decoded(data["tls.crt"]), _decoded(data["tls.key"]))


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=30)


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()
