"""Decoders: from the JSON of one object to its record in the store, with annotations interpreted."""

from __future__ import annotations

from collections.abc import Callable

from chainlit_operator.domain import model
from chainlit_operator.domain.route_paths import limited
from chainlit_operator.ingress_controllers.registry import interpret, interpret_service
from chainlit_operator.kinds.shared.kind import Kind, Known, Raw, unknown


def decoder(kind: Kind, known: Known = unknown) -> Callable[[Raw], model.WatchedObject]:
    """Return a decoder of single objects of a kind. It raises msgspec.DecodeError for JSON of another shape.

    ``known`` returns the record that the store has of an object: a workload's is decoded faster with it. Use it for
    events and answers only: before a list, the pod template may have changed and changed back unseen.
    """

    def decode(raw: Raw) -> model.WatchedObject:
        record = kind.decode(raw, known)
        if isinstance(record, model.AnnotatedService):
            return interpret_service(record)
        if isinstance(record, model.AnnotatedRoute):
            record = interpret(record)
        return limited(record) if isinstance(record, model.Route) else record

    return decode
