"""The JSON that all kinds share: metadata, list pages, watch events, error bodies."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, field

T = TypeVar("T")


class ApiStruct(Struct, rename="camel"):
    """Base class: camelCase in JSON, unknown fields are skipped."""


class OwnerReference(ApiStruct):
    """An entry of ``ownerReferences``."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False


class Identity(ApiStruct):
    """The part of ObjectMeta that the API server sets in every object."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    #: Null in the bookmarks of Kubernetes up to 1.33.
    creation_timestamp: str | None = None
    deletion_timestamp: str = ""


class Meta(Identity):
    """ObjectMeta."""

    owner_references: list[OwnerReference] = field(default_factory=list)


class ListMeta(ApiStruct):
    """ListMeta; ``continue_`` is the token of the next page."""

    resource_version: str = ""
    continue_: str = field(default="", name="continue")


class Page(ApiStruct):
    """One page of a list. Its items are decoded one by one, so that one unreadable item does not hide the others."""

    metadata: ListMeta = field(default_factory=ListMeta)
    items: list[msgspec.Raw] | None = None


class _GroupVersion(ApiStruct):
    group_version: str = ""


class _Group(ApiStruct):
    versions: list[_GroupVersion] = field(default_factory=list)


class Groups(ApiStruct):
    """APIGroupList: the groups of the API server with their versions."""

    groups: list[_Group] = field(default_factory=list)


class Event(ApiStruct):
    """One line of a watch. Its object is not decoded yet."""

    type: str
    object: msgspec.Raw


class ErrorStatus(ApiStruct):
    """metav1.Status, the body of every error."""

    code: int = 0
    reason: str = ""
    message: str = ""


class PartialObjectMetadata(ApiStruct):
    """An object of any kind; only its metadata is decoded."""

    metadata: Meta = field(default_factory=Meta)


class Anything(ApiStruct):
    """An object whose presence is the only information."""


#: Limit of nesting. The API server accepts ten thousand levels where a schema keeps unknown fields.
MAX_DEPTH = 200
_BRACKET = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{}]')


def shallow(raw: bytes | msgspec.Raw) -> bytes:
    """Return a JSON document with null in place of all values deeper than ``MAX_DEPTH``: no decision reads those."""
    text, kept, level, start = bytes(raw), [], 0, 0
    for found in _BRACKET.finditer(text):
        if found[0] in (b"[", b"{"):
            level += 1
            if level == MAX_DEPTH + 1:
                kept += [text[start : found.start()], b"null"]
        elif found[0] in (b"]", b"}"):
            if level == MAX_DEPTH + 1:
                start = found.end()
            level -= 1
    return b"".join([*kept, text[start:]])


def decoder(type_: type[T]) -> Callable[[bytes | msgspec.Raw], T]:
    """Return a decoder of single documents of ``type_``; it raises msgspec.DecodeError for anything else."""
    decode = msgspec.json.Decoder(type_).decode

    def read(raw: bytes | msgspec.Raw) -> T:
        try:
            return decode(raw)
        except RecursionError:
            return decode(shallow(raw))

    return read


decode_page = decoder(Page)
decode_event = decoder(Event)
decode_groups = decoder(Groups)
decode_error = decoder(ErrorStatus)
decode_metadata = decoder(PartialObjectMetadata)
decode_any = decoder(dict[str, Any])
