"""What all kinds share: metadata, list pages, watch events, error bodies."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

import msgspec
from msgspec import Struct, field

from chainlit_operator.domain import model

T = TypeVar("T")


class Wire(Struct, rename="camel"):
    """Base of all: camelCase in JSON, unknown fields skipped."""


class OwnerReference(Wire):
    """An entry of ``ownerReferences``."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False


class Meta(Wire):
    """ObjectMeta."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str = ""
    deletion_timestamp: str = ""
    owner_references: list[OwnerReference] = field(default_factory=list)


class ListMeta(Wire):
    """ListMeta; ``continue_`` is the token of the next page."""

    resource_version: str = ""
    continue_: str = field(default="", name="continue")


class Page(Wire):
    """One page of a list, its items not decoded yet, so that a strange one costs only itself."""

    metadata: ListMeta = field(default_factory=ListMeta)
    items: list[msgspec.Raw] | None = None


class Event(Wire):
    """One line of a watch, its object not decoded yet."""

    type: str
    object: msgspec.Raw


class ErrorStatus(Wire):
    """metav1.Status, the body of every error."""

    code: int = 0
    reason: str = ""
    message: str = ""


class Bookmark(Wire):
    """Any object of which only the metadata is wanted."""

    metadata: Meta = field(default_factory=Meta)


class Anything(Wire):
    """An object of which only the presence matters."""


@lru_cache(4096)
def shared(word: str) -> str:
    """Return the word itself, as the object that was returned for an equal one before: kept once, not by each app.

    Not ``sys.intern``, which keeps words for ever in some releases of Python.
    """
    return word


def pairs(labels: dict[str, str]) -> model.Labels:
    """Return labels as the domain has them."""
    return tuple(sorted(labels.items()))


def decoder(type_: type[T]) -> Callable[[bytes | msgspec.Raw], T]:
    """Return a decoder of single objects of ``type_``; it raises msgspec.DecodeError for anything else."""
    return msgspec.json.Decoder(type_).decode


decode_page = msgspec.json.Decoder(Page).decode
decode_event = msgspec.json.Decoder(Event).decode
decode_error = msgspec.json.Decoder(ErrorStatus).decode
decode_bookmark = msgspec.json.Decoder(Bookmark).decode
