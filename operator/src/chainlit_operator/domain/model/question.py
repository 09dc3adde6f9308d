"""Questions to pods, and their answers: decisions need some facts that only the pods know.

A decision names its questions and reads the answers that its snapshot has. An answer is missing until a pod has given
it; then the app is decided about once more. A question has the uid and the generation of the workload, so after another
rollout it is another question.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
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


@dataclass(frozen=True, slots=True)
class SpeakingPort:
    """Which of several container ports is Chainlit's in a ready pod. The answer is a Speaking.

    ``prefixes`` are those that Chainlit may have. The generation of ``pods`` is 0: a rollout rarely changes ports, and
    while it lasts an app must not lose its route.
    """

    pods: Pods
    ports: tuple[int, ...]
    prefixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Below which prefix Chainlit answers in a ready pod. The answer is a Finding.

    ``port`` is the container port of Chainlit, ``root_path`` the prefix where it should answer, and ``prefixes`` are
    other prefixes that it may have.
    """

    pods: Pods
    port: int
    root_path: str
    prefixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WhyUnready:
    """Why a pod does not become ready. The answer is a Finding; it is asked again while the decision asks it.

    ``whereabouts`` says where Chainlit should answer. ``other_ports`` are ports where it may listen instead, and
    ``probes`` are the HTTP probes of its container: their field, port and path.
    """

    whereabouts: Whereabouts
    other_ports: tuple[int, ...] = ()
    probes: tuple[tuple[str, int, str], ...] = ()


Question = Stands | PathAnswer | SpeakingPort | Whereabouts | WhyUnready


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


@dataclass(frozen=True, slots=True)
class Speaking:
    """The answer to SpeakingPort; 0 if none of the ports is Chainlit's."""

    port: int


class Cause(StrEnum):
    """What is wrong in a pod."""

    NOTHING = "Chainlit answers where it should, and so do the probes"
    OWN_ROOT_PATH = "Chainlit has another root path, whatever the variable says"
    MOUNTED = "another app mounts Chainlit below another prefix"
    OTHER_PORT = "Chainlit listens on another port"
    PROBE = "a probe asks a path that is not answered as the kubelet wants it"
    NOT_LISTENING = "nothing listens on the port"
    UNREACHABLE = "the operator gets no connection to the pod"
    ELSE = "the pod answers, but not as Chainlit does"


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to Whereabouts and WhyUnready.

    ``prefix`` is the one where Chainlit answers, ``port`` the port where it listens. ``probe`` is the field of a probe,
    ``status`` the HTTP status of its answer, or that of the socket's path. ``times`` counts equal findings in a row.
    """

    cause: Cause
    prefix: str = ""
    port: int = 0
    probe: str = ""
    status: int = 0
    times: int = 1

    def after(self, former: Answer | None) -> Finding:
        """Return the finding, with the count of equal ones before it; the count ends at ``LASTING``."""
        if not isinstance(former, Finding) or replace(former, times=1) != self:
            return self
        return replace(self, times=min(former.times + 1, LASTING))


#: So many equal findings in a row take about ten minutes, after which a Deployment counts its rollout as failed.
LASTING = 8

Answer = Nobody | Standing | PathKind | Speaking | Finding
NOBODY = Nobody.ANSWERED
