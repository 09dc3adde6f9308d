"""EndpointSlices: which addresses there are, whose pods are ready, and what is left out."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from chainlit_operator.kinds.endpointslice import KIND, Endpoint, addresses_and_ports, endpoints


def slice_of(*found: Any, family: str | None = "IPv4", **fields: Any) -> bytes:
    return json.dumps({"addressType": family, "endpoints": [*found], **fields}).encode()


def endpoint(*addresses: str, **conditions: bool | None) -> dict[str, Any]:
    return {"addresses": [*addresses], "conditions": conditions, "targetRef": {"kind": "Pod"}}


@pytest.mark.parametrize(
    ("conditions", "ready"),
    [
        ({}, True),
        ({"ready": True}, True),
        ({"ready": False}, False),
        ({"ready": None}, True),
        ({"ready": True, "serving": False}, False),
        ({"ready": False, "serving": True}, True),
        ({"ready": False, "serving": None}, False),
        ({"ready": True, "serving": True, "terminating": False}, True),
        ({"ready": True, "serving": True, "terminating": None}, True),
    ],
)
def test_which_pods_are_ready(conditions: dict[str, bool | None], ready: bool) -> None:
    assert endpoints(slice_of(endpoint("10.0.0.1", **conditions))) == (Endpoint("10.0.0.1", ready),)


def test_what_is_left_out() -> None:
    ending = endpoint("10.0.0.1", serving=True, terminating=True)
    found = slice_of(ending, endpoint(), endpoint("10.0.0.2", "10.0.0.3"), endpoint("10.0.0.4"))
    assert endpoints(found) == (Endpoint("10.0.0.2", True), Endpoint("10.0.0.4", True))


@pytest.mark.parametrize(("family", "count"), [("IPv4", 1), ("IPv6", 1), ("FQDN", 0), ("", 0)])
def test_families_of_addresses(family: str, count: int) -> None:
    assert len(endpoints(slice_of(endpoint("fd00::1"), family=family))) == count


def test_empty_slices() -> None:
    for raw in (b"{}", b'{"addressType":"IPv4","endpoints":null,"ports":null}', b'{"addressType":"IPv4"}'):
        assert endpoints(raw) == addresses_and_ports(raw) == ()
    assert endpoints(b'{"addressType":"IPv6","endpoints":[{"addresses":["fd00::1"]}]}') == (Endpoint("fd00::1", True),)
    with pytest.raises(msgspec.DecodeError):
        endpoints(b'{"addressType":7}')


def test_addresses_with_their_ports() -> None:
    found = slice_of(endpoint("10.0.0.1", "10.0.0.2"), endpoint("10.0.0.3", ready=False), ports=[{"port": 443}, {}])
    assert addresses_and_ports(found) == (("10.0.0.1", 443), ("10.0.0.2", 443), ("10.0.0.3", 443))


def test_place_in_the_api() -> None:
    assert (KIND.api_version, KIND.plural, KIND.kind) == ("discovery.k8s.io/v1", "endpointslices", "EndpointSlice")
