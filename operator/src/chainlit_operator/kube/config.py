"""How to reach the API server: by the service account of the pod, or by a kubeconfig."""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from chainlit_operator import ip_addresses
from chainlit_operator.kube.errors import one_line

#: Where the kubelet mounts the service account of a pod.
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
#: The kubelet replaces the token long before it expires. client-go reads it as often.
_TOKEN_SECONDS = 60.0

Credentials = Callable[[], Awaitable[dict[str, str]]]
"""Returns the authorization header of a request, or nothing. Raises CredentialsError."""


class ConfigError(Exception):
    """No cluster can be reached: the kubeconfig or the service account cannot be used, or there is none."""


class MissingPackageError(ConfigError):
    """Kubeconfigs need a package that is not installed."""


class CredentialsError(Exception):
    """There are no credentials for a request, for example because an exec plugin failed."""


async def anonymous() -> dict[str, str]:
    """Return no credentials."""
    return {}


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """How to reach one API server.

    ``host`` is its URL. ``tls`` is True for the usual settings. ``server_name`` is the name in its certificate, where
    that differs from the URL. ``proxy`` is the URL of an HTTP proxy.
    """

    host: str
    credentials: Credentials = anonymous
    tls: ssl.SSLContext | bool = True
    server_name: str | None = None
    proxy: str | None = None
    proxy_headers: Mapping[str, str] | None = None


async def load(kubeconfig: str | None = None, context: str | None = None) -> ClusterConfig:
    """Return how to reach the cluster.

    Uses the kubeconfig given, else ``$KUBECONFIG`` or ``~/.kube/config`` where there is one, else the pod's service
    account. Raises ConfigError.
    """
    if kubeconfig is None and context is None and not _has_usual_kubeconfig():
        return in_cluster()
    try:
        # The package is an extra: an import at the top would need it in the image too.
        from chainlit_operator.kube import kubeconfig as kubeconfigs  # noqa: PLC0415
    except ImportError as error:
        package = (error.name or "kubernetes").partition(".")[0]
        raise MissingPackageError(f"reading a kubeconfig needs the package {package}") from error
    return await kubeconfigs.load(kubeconfig, context)


def _has_usual_kubeconfig() -> bool:
    usual = os.environ.get("KUBECONFIG") or "~/.kube/config"
    return any(Path(path).expanduser().exists() for path in usual.split(os.pathsep) if path)


def in_cluster() -> ClusterConfig:
    """Return how the pod that this process runs in reaches its cluster; raises ConfigError outside a pod."""
    address, port = (os.environ.get(f"KUBERNETES_SERVICE_{name}") for name in ("HOST", "PORT"))
    if not address or not port:
        raise ConfigError("no cluster: give --kubeconfig, set KUBECONFIG, or run in a pod")
    host = f"https://{ip_addresses.in_url(address)}:{port}"
    try:
        tls = ssl.create_default_context(cafile=SERVICE_ACCOUNT / "ca.crt")
        credentials = _ServiceAccountToken(SERVICE_ACCOUNT / "token")
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError(f"the service account in {SERVICE_ACCOUNT} cannot be used: {one_line(error)}") from error
    return ClusterConfig(host, credentials, tls, proxy=proxy_of_environment(host))


class _ServiceAccountToken:
    """The token of the pod's service account, read again once a minute."""

    def __init__(self, path: Path) -> None:
        """Raises OSError if it cannot be read."""
        self._path = path
        self._header = self._read()
        self._due = time.monotonic() + _TOKEN_SECONDS

    async def __call__(self) -> dict[str, str]:
        now = time.monotonic()
        if now >= self._due:
            self._due = now + _TOKEN_SECONDS
            try:
                self._header = self._read()
            except OSError as error:
                raise CredentialsError(f"{self._path}: {one_line(error)}") from error
        return self._header

    def _read(self) -> dict[str, str]:
        token = self._path.read_text(encoding="utf-8").strip()
        if not token:
            raise OSError(f"{self._path} is empty")
        return {"authorization": f"Bearer {token}"}


def proxy_of_environment(host: str) -> str | None:
    """Return the proxy that HTTPS_PROXY and similar variables name for a URL, unless NO_PROXY exempts it."""
    parts = urlsplit(host)
    return None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)
