"""API objects as JSON, pruned: bytes become domain records in one pass, and nothing else of the object exists.

The structs name only the fields that decisions read; msgspec skips the rest of the document without building it.
"""

from chainlit_operator.kinds.chainlitapp import ChainlitApp, app_from_object, encode_status
from chainlit_operator.kinds.gateway import Gateway
from chainlit_operator.kinds.registry import KINDS, WatchedObject, reader
from chainlit_operator.kinds.routes.httproute import HTTPRoute
from chainlit_operator.kinds.routes.ingress import Ingress
from chainlit_operator.kinds.service import Service
from chainlit_operator.kinds.serviceaccount import ServiceAccount
from chainlit_operator.kinds.traefik_middleware import Middleware
from chainlit_operator.kinds.workloads import Deployment, StatefulSet

__all__ = [
    "KINDS",
    "ChainlitApp",
    "Deployment",
    "Gateway",
    "HTTPRoute",
    "Ingress",
    "Middleware",
    "Service",
    "ServiceAccount",
    "StatefulSet",
    "WatchedObject",
    "app_from_object",
    "encode_status",
    "reader",
]
