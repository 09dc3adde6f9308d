"""Session affinity: where a controller keeps it, and what annotations say about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from chainlit_operator.domain.model import Stickiness

Annotations = Mapping[str, str]


class Found(NamedTuple):
    """What annotations of one object do: the stickiness, the annotation that counts, and the Service that it is for.

    ``service`` is empty for all Services behind the object.
    """

    stickiness: Stickiness
    key: str
    service: str = ""


def nothing(_: Annotations) -> Iterator[Found]:
    """Find nothing."""
    return iter(())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Affinity:
    """How a controller keeps the requests of a browser at one pod.

    ``gateway_classes`` are the names that its GatewayClass usually has.
    ``prefixes`` are those of the annotations that ``on_route`` (of an Ingress) and ``on_service`` read.

    ``default`` is what the controller does without a setting: LOST only where it keeps all settings in objects that
    the operator reads. ``remedy`` is a sentence with ``{route}`` and ``{service}`` in place of the objects. Those of
    HTTPRoutes differ: ``gateway_readers`` are the readers whose settings count there.
    """

    title: str
    default: Stickiness
    remedy: str
    prefixes: tuple[str, ...] = ()
    on_route: Callable[[Annotations], Iterator[Found]] = nothing
    on_service: Callable[[Annotations], Iterator[Found]] = nothing
    gateway_classes: frozenset[str] = frozenset()
    gateway_default: Stickiness = Stickiness.UNKNOWN
    gateway_readers: frozenset[str] = field(default_factory=frozenset)
    gateway_remedy: str = ""


#: Variables of NGINX that are the same in all requests of a browser, or empty in all of them.
_OF_A_BROWSER = ("$remote_addr", "$binary_remote_addr", "$http_x_forwarded_for", "$http_x_real_ip", "$host", "$cookie_")


def is_of_a_browser(expression: str) -> bool:
    """Whether an expression of NGINX has one value for all requests of a browser."""
    return expression.strip().strip("\"'").startswith(_OF_A_BROWSER)
