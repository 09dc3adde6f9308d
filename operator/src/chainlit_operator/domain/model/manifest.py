"""The wanted form of an object that the operator creates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chainlit_operator.object_ref import Ref


@dataclass(frozen=True, slots=True)
class Manifest:
    """A whole object; ``digest`` differs between its present form and former ones."""

    ref: Ref
    body: Mapping[str, Any]
    digest: str
