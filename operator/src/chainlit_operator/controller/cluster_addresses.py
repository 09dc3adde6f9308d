"""Addresses of the cluster that the operator does not ask at the edge: those of the API server and of Services."""

from __future__ import annotations

import time
from collections.abc import Iterable

import msgspec

from chainlit_operator.domain.model import Service
from chainlit_operator.kinds import endpointslice
from chainlit_operator.kube.client import Api
from chainlit_operator.kube.errors import ApiError
from chainlit_operator.state import State
from chainlit_operator.verification.prober import IPAddress

#: The Service of the API server, which every cluster has.
_NAMESPACE, _NAME = "default", "kubernetes"
_MAX_SLICES = 100
#: The set of all Services' addresses is made again after this time: at 10,000 Services that takes milliseconds.
_REFRESH_SECONDS = 10.0


class ApiEndpoints:
    """The endpoints of the API server, from the EndpointSlices that it keeps of itself."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def read(self) -> Iterable[tuple[str, int]]:
        """Return addresses with their ports. Raises OSError if the EndpointSlices cannot be read."""
        label = f"{endpointslice.SERVICE_LABEL}={_NAME}"
        try:
            page = await self._api.list_page("EndpointSlice", _NAMESPACE, _MAX_SLICES, label=label)
            return [pair for raw in page.items or () for pair in endpointslice.addresses_and_ports(raw)]
        except (ApiError, msgspec.DecodeError) as error:
            raise OSError(str(error)) from error


class ServiceAddresses:
    """The cluster addresses of the Services that the operator watches."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._addresses: frozenset[str] = frozenset()
        self._until = 0.0

    def __contains__(self, address: IPAddress) -> bool:
        if time.monotonic() >= self._until:
            services = self._state.all_of("Service")
            self._addresses = frozenset(s.cluster_ip for s in services if isinstance(s, Service) and s.cluster_ip)
            self._until = time.monotonic() + _REFRESH_SECONDS
        return str(address) in self._addresses
