"""Questions to pods, and their answers: decisions need some facts that only the pods know.

A decision names its questions and reads the answers that its snapshot has. An answer is missing until a pod has given
it; then the app is decided about once more. A question has the uid and the generation of the workload, so after another
rollout it is another question.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import NamedTuple

from chainlit_operator.domain.model.verification import Check
from chainlit_operator.object_ref import Ref


class Pods(NamedTuple):
    """The pods to ask: those behind a Service, while the workload has this uid and this generation of its template."""

    service: Ref
    uid: str
    generation: int


@dataclass(frozen=True, slots=True)
class Stands:
    """Whether the app can be used at the place of ``check`` as it stands. The answer is a Standing."""

    check: Check


@dataclass(frozen=True, slots=True)
class PathAnswer:
    """What a ready pod answers to ``GET path`` on a container port. The answer is a PathKind."""

    pods: Pods
    port: int
    path: str


Question = Stands | PathAnswer


class Nobody(Enum):
    """No pod is ready, none answered within some seconds, or verification is off. The question is asked again later."""

    ANSWERED = "nobody answered"


class Standing(Enum):
    """The answer to Stands."""

    GOOD = "the app can be used there"
    BAD = "the app cannot be used there"


class PathKind(StrEnum):
    """The answer to PathAnswer."""

    CATCH_ALL = "Chainlit's page, which answers all paths that nobody defines"
    NOT_FOUND = "404"
    OTHER = "something else"


Answer = Nobody | Standing | PathKind
NOBODY = Nobody.ANSWERED
