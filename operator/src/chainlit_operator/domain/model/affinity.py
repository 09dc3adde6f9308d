"""Session affinity: the settings of it in objects, and how each ingress controller reads them.

Chainlit keeps a session in the memory of one process. Affinity keeps all requests of a browser at one pod.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Stickiness(StrEnum):
    """What a setting does with the requests of one browser."""

    KEPT = "kept"
    """They reach one pod."""
    LOST = "lost"
    """They reach any pod."""
    UNKNOWN = "unknown"
    """An object that the operator does not read decides."""
    SERVICE = "service"
    """The controller sends them to the address of the Service, so its own affinity has no effect."""


class AffinitySetting(NamedTuple):
    """A setting of session affinity in a route or a Service.

    ``reader`` is the name of the controller that reads it, or SESSION_PERSISTENCE. ``what`` names it in messages.
    ``service`` is the only Service that it concerns; empty for all Services behind the object.
    """

    reader: str
    stickiness: Stickiness
    what: str
    service: str = ""


#: The reader of HTTPRoutes' ``sessionPersistence``: each Gateway that implements this field.
SESSION_PERSISTENCE = "sessionPersistence"


class ControllerAffinity(NamedTuple):
    """How a controller that serves a route finds session affinity.

    ``readers`` are those of the settings that it honours, and ``default`` is what it does without any. ``remedy`` is a
    sentence for messages, with ``{route}`` and ``{service}`` in place of the objects. ``reads_elsewhere`` says that a
    setting may be in an object of any namespace: where the operator does not watch all, a default of LOST is a guess.
    """

    title: str
    readers: frozenset[str]
    default: Stickiness
    remedy: str
    reads_elsewhere: bool = False
