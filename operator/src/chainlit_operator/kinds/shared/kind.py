"""A kind: its place in the API, why the operator reads it, and the decoder from its JSON to a record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

import msgspec

from chainlit_operator.domain import model
from chainlit_operator.domain.desired.drift import KEPT_METADATA, OwnedState
from chainlit_operator.kube.codec import Meta, OwnerReference, decode_any, decoder
from chainlit_operator.object_ref import Ref

APP_KIND = "ChainlitApp"
APP_GROUP = "chainlit-operator.dev"

Raw = bytes | msgspec.Raw
Known = Callable[[Ref], model.WatchedObject | None]
"""From a reference to the record that the store has of the object, if any."""
Decode = Callable[[Raw, Known], "model.WatchedObject | model.AnnotatedRoute | model.AnnotatedService"]
"""From the JSON of one object to its record, a route or a Service with its annotations. Raises msgspec.DecodeError."""


def unknown(_: Ref) -> None:
    """Know no object. Decoders of lists use this: between two lists a template may change and change back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """The place of a kind in the API; ``group`` is empty for Kubernetes' core."""

    kind: str
    group: str
    version: str
    plural: str

    @property
    def api_version(self) -> str:
        """Group and version as objects name them."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def path(self) -> str:
        """The API path of group and version."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedKind(Resource):
    """A kind that the operator lists when it needs it, and never watches. ``purpose`` is as in Kind."""

    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Resource):
    """A kind that the operator lists and watches.

    ``purpose`` is the sentence beside its RBAC rule: why the operator reads it. ``is_optional`` says that a cluster may
    not have the kind, and ``is_created`` that a ChainlitApp can create objects of it. ``names_others`` says that its
    objects name others of the kind, so a change of one may concern routes that do not name it.
    """

    decode: Decode
    purpose: str
    is_optional: bool = False
    is_created: bool = False
    names_others: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadKind(Kind):
    """A kind of workload. The operator patches adopted workloads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteKind(Kind):
    """A kind of route.

    ``dependencies`` are the kinds of objects that take part in a route. ``compose`` completes a route's record with
    those objects; the annotations of ingress controllers have been interpreted before.
    """

    compose: Callable[[model.Route, model.Find], model.Route]
    dependencies: tuple[str, ...] = field(default=())


class Form(Protocol):
    """The JSON of an object, as far as it is decoded."""

    @property
    def metadata(self) -> Meta:
        """ObjectMeta."""


class PlainForm(Form, Protocol):
    """A form whose record depends only on the JSON of the object."""

    def to_domain(self) -> model.WatchedObject:
        """Return the domain's record of the object."""


FormT = TypeVar("FormT", bound=Form)
RecordT = TypeVar("RecordT", bound=model.WatchedObject)


def plain_decoder(form: type[PlainForm]) -> Decode:
    """Return a decoder of objects of that form.

    It also serves routes of a kind that only one controller reads, and that gives annotations no meaning.
    """
    return decoder_with_known(form, lambda found, _: found.to_domain())


def decoder_with_known(form: type[FormT], to_record: Callable[[FormT, Known], model.WatchedObject]) -> Decode:
    """Return a decoder of objects of that form; ``to_record`` also gets the record that the store has."""
    read = decoder(form)

    def decode(raw: Raw, known: Known) -> model.WatchedObject:
        found = read(raw)
        return with_owner(to_record(found, known), found.metadata, raw)

    return decode


class AnnotatedMeta(Meta):
    """ObjectMeta of a route or a Service."""

    annotations: dict[str, str] = msgspec.field(default_factory=dict)


class RouteForm(Protocol):
    """The JSON of a route, as far as it is decoded."""

    @property
    def metadata(self) -> AnnotatedMeta:
        """ObjectMeta with the annotations."""

    def to_domain(self) -> model.Route:
        """Return the domain's record of the object."""


def route_decoder(form: type[RouteForm]) -> Decode:
    """Return a decoder of routes of that form."""
    read = decoder(form)

    def decode(raw: Raw, _: Known) -> model.AnnotatedRoute:
        found = read(raw)
        route = with_owner(found.to_domain(), found.metadata, raw)
        return model.AnnotatedRoute(route, found.metadata.annotations)

    return decode


class ServiceForm(Protocol):
    """The JSON of a Service, as far as it is decoded."""

    @property
    def metadata(self) -> AnnotatedMeta:
        """ObjectMeta with the annotations."""

    def to_domain(self) -> model.Service:
        """Return the domain's record of the object."""


def service_decoder(form: type[ServiceForm]) -> Decode:
    """Return a decoder of Services of that form."""
    read = decoder(form)

    def decode(raw: Raw, _: Known) -> model.AnnotatedService:
        found = read(raw)
        return model.AnnotatedService(with_owner(found.to_domain(), found.metadata, raw), found.metadata.annotations)

    return decode


def with_owner(record: RecordT, meta: Meta, raw: Raw) -> RecordT:
    """Return the record. If a ChainlitApp created the object, the record also has its whole content."""
    owner = _owner(meta)
    if owner is None or not isinstance(record, model.CreatableObject):
        return record
    return replace(record, owned=_owned(owner, meta, decode_any(raw)))


def _owner(meta: Meta) -> OwnerReference | None:
    """The ChainlitApp that created an object, if one did."""
    for owner in meta.owner_references:
        if owner.controller and owner.kind == APP_KIND and owner.api_version.startswith(f"{APP_GROUP}/"):
            return owner
    return None


def _owned(owner: OwnerReference, meta: Meta, whole: dict[str, Any]) -> OwnedState:
    metadata = whole.pop("metadata")
    content = {key: value for key, value in whole.items() if key not in ("apiVersion", "kind", "status")}
    return OwnedState(
        app=owner.name,
        uid=owner.uid,
        object_uid=meta.uid,
        content={**content, "metadata": {key: metadata[key] for key in KEPT_METADATA if key in metadata}},
        is_terminating=bool(meta.deletion_timestamp),
        managed=metadata.get("managedFields", ()),
    )
