"""API objects as the operator knows them: a dict goes through the decoders of the operator's own kinds."""

from __future__ import annotations

import json
from typing import Any

from chainlit_operator.domain.model import App
from chainlit_operator.kinds import chainlitapp, registry
from chainlit_operator.state import decoding
from tests.objects import Object


def record(obj: Object, kind: str = "") -> Any:
    """Return the record of an object of the kind, by default its own. Raises msgspec.DecodeError."""
    return decoding.decoder(registry.WATCHED[kind or obj["kind"]])(json.dumps(obj).encode())


def app_record(obj: Object) -> App:
    """Return the record of a ChainlitApp. Raises msgspec.DecodeError."""
    return chainlitapp.app_from_json(json.dumps(obj).encode())
