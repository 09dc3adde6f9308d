"""Kubeconfigs, with exec plugins and OIDC, as the official ``kubernetes`` package reads them.

Only this module imports that package, and only a process with a kubeconfig imports this module: the image has neither.
Requests do not go through that package's client, which looks for a netrc in a thread before each of them. That is a
third of the time of a write.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from kubernetes.aio import client, config
from kubernetes.aio.client.rest import RESTClientObject

from chainlit_operator.kube.config import ClusterConfig, ConfigError, CredentialsError, proxy_of_environment
from chainlit_operator.kube.errors import one_line

#: The package raises these for a value of another type than it expects.
_WRONG_TYPE = (ValueError, LookupError, TypeError, AttributeError)
_UNUSABLE = (config.ConfigException, yaml.YAMLError, OSError, *_WRONG_TYPE)


async def load(path: str | None, context: str | None) -> ClusterConfig:
    """Return how to reach the cluster of ``context`` (None: the current one) in the kubeconfig at ``path``.

    None stands for ``$KUBECONFIG`` or ``~/.kube/config``. Raises ConfigError.
    """
    found = client.Configuration()
    try:
        if path is not None and _is_empty(Path(path)):
            raise ConfigError(f"{path} is empty, not a kubeconfig.")
        await config.load_kube_config(path, context=context, client_configuration=found)
        proxy = found.proxy or proxy_of_environment(found.host)
    except _UNUSABLE as error:
        raise ConfigError(f"the kubeconfig cannot be used: {one_line(error)}") from error
    try:
        tls = RESTClientObject(found).ssl_context
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise ConfigError(f"the certificates of the kubeconfig cannot be used: {one_line(error)}") from error
    server_name = found.tls_server_name or None
    return ClusterConfig(found.host, _credentials_of(found), tls, server_name, proxy, found.proxy_headers)


def _is_empty(path: Path) -> bool:
    return not path.is_fifo() and not path.read_bytes().strip()


def _credentials_of(found: client.Configuration) -> Any:
    async def credentials() -> dict[str, str]:
        try:
            settings: Any = await found.auth_settings()
        except config.ConfigException as error:
            raise CredentialsError(one_line(error)) from error
        return {setting["key"]: setting["value"] for setting in settings.values()}

    return credentials
