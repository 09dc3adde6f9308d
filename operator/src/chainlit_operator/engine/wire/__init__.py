"""API objects as JSON, pruned: bytes become domain records in one pass, and nothing else of the object exists.

The structs name only the fields that decisions read; msgspec skips the rest of the document without building it.
"""

from chainlit_operator.engine.wire.accounts import ServiceAccount
from chainlit_operator.engine.wire.apps import ChainlitApp, app_from_object, status_to_wire
from chainlit_operator.engine.wire.base import (
    ErrorStatus,
    Event,
    Page,
    decode_bookmark,
    decode_error,
    decode_event,
    decode_page,
    decoder,
)
from chainlit_operator.engine.wire.httproutes import Gateway, HTTPRoute
from chainlit_operator.engine.wire.ingresses import Ingress
from chainlit_operator.engine.wire.leases import Lease, lease_to_wire
from chainlit_operator.engine.wire.middlewares import Middleware
from chainlit_operator.engine.wire.objects import KINDS, Foreign, reader
from chainlit_operator.engine.wire.services import Service
from chainlit_operator.engine.wire.workloads import Deployment, StatefulSet

__all__ = [
    "KINDS",
    "ChainlitApp",
    "Deployment",
    "ErrorStatus",
    "Event",
    "Foreign",
    "Gateway",
    "HTTPRoute",
    "Ingress",
    "Lease",
    "Middleware",
    "Page",
    "Service",
    "ServiceAccount",
    "StatefulSet",
    "app_from_object",
    "decode_bookmark",
    "decode_error",
    "decode_event",
    "decode_page",
    "decoder",
    "lease_to_wire",
    "reader",
    "status_to_wire",
]
