"""The verdict: for how long Ready was True while the chat was dead, and False while it was well."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

#: The seconds that each kind of fault may go unnoticed beyond the interval of verifications.
TOLD_SECONDS, SERVICE_SECONDS, EDGE_SECONDS = 5.0, 5.0, 10.0
#: The seconds for which a chat that is well again may still be False.
WELL_SECONDS = 10.0


class Change(NamedTuple):
    """From ``at`` on (seconds since the start), the observed thing has this value."""

    at: float
    value: str


class Fault(NamedTuple):
    """A fault of the kind ``name`` from ``begun`` on; ``source`` says what can notice it: Watch, Service or Edge."""

    begun: float
    name: str
    source: str

    def limit(self, interval: float) -> float:
        """Return the seconds for which Ready may be True while the chat is dead."""
        if self.source == "Watch":
            return TOLD_SECONDS
        return interval + (SERVICE_SECONDS if self.source == "Service" else EDGE_SECONDS)

    def limit_well(self, interval: float) -> float:
        """Return the seconds for which Ready may be False while the chat is well."""
        return WELL_SECONDS if self.source == "Watch" else interval + WELL_SECONDS


class Span(NamedTuple):
    """A time in which two observations hold."""

    begun: float
    ended: float

    @property
    def seconds(self) -> float:
        """The length of the span."""
        return self.ended - self.begun


@dataclass
class Row:
    """The spans of one kind of fault."""

    source: str
    planted: int = 0
    lies: list[float] = field(default_factory=list)
    alarms: list[float] = field(default_factory=list)
    over: list[str] = field(default_factory=list)


def spans(changes: Sequence[Change], value: str, end: float) -> Iterator[Span]:
    """Yield the spans in which the observed thing has the value."""
    begun: float | None = None
    for at, now in changes:
        if now == value and begun is None:
            begun = at
        elif now != value and begun is not None:
            yield Span(begun, at)
            begun = None
    if begun is not None:
        yield Span(begun, end)


def both(one: Iterable[Span], other: Iterable[Span]) -> Iterator[Span]:
    """Yield the spans that are in a span of each."""
    others = list(other)
    for span in one:
        for each in others:
            begun, ended = max(span.begun, each.begun), min(span.ended, each.ended)
            if begun < ended:
                yield Span(begun, ended)


def verdict(
    chats: Sequence[Change],
    ready: Sequence[Change],
    faults: Sequence[Fault],
    interval: float,
    end: float,
    reasons: Sequence[Change] = (),
) -> dict[str, Row]:
    """Return a row for each kind of fault. ``chats`` has the values alive and dead, ``ready`` those of the condition.

    A span belongs to the latest fault that began before it. ``reasons`` of the condition explain long spans.
    """
    rows: dict[str, Row] = defaultdict(lambda: Row("Watch"))
    for fault in faults:
        row = rows.setdefault(fault.name, Row(fault.source))
        row.planted += 1
    for span in both(spans(chats, "dead", end), spans(ready, "True", end)):
        fault = _fault_of(faults, span)
        rows[fault.name].lies.append(span.seconds)
        if span.seconds > fault.limit(interval):
            rows[fault.name].over.append(f"dead and Ready for {_told(span, reasons)}")
    for span in both(spans(chats, "alive", end), spans(ready, "False", end)):
        fault = _fault_of(faults, span)
        rows[fault.name].alarms.append(span.seconds)
        if span.seconds > fault.limit_well(interval):
            rows[fault.name].over.append(f"well and not Ready for {_told(span, reasons)}")
    return rows


def _told(span: Span, reasons: Sequence[Change]) -> str:
    """Return length and beginning of a span, and the reasons within it."""
    before = [change.value for change in reasons if change.at <= span.begun][-1:]
    within = [f"{change.value} at {change.at:.0f} s" for change in reasons if span.begun < change.at <= span.ended]
    return " · ".join([f"{span.seconds:.1f} s from {span.begun:.0f} s on", *before, *within])


def _fault_of(faults: Sequence[Fault], span: Span) -> Fault:
    before = [fault for fault in faults if fault.begun <= span.begun + 1.0]
    return before[-1] if before else Fault(0.0, "none", "Watch")


_TIMES = ("times", "median", "most", "in all")
_COLUMNS = (
    *("fault", "noticed by", "planted"),
    *(f"{state}: {kind}" for state in ("dead and Ready", "well and not Ready") for kind in _TIMES),
)
HEAD = f"| {' | '.join(_COLUMNS)} |\n|---|---|{'--:|' * (len(_COLUMNS) - 2)}"


def table(rows: dict[str, Row]) -> str:
    """Return the rows as a table of Markdown; times in seconds."""
    lines = [HEAD]
    for name, row in sorted(rows.items()):
        cells = [name, row.source, str(row.planted)]
        for found in (row.lies, row.alarms):
            middle = statistics.median(found) if found else 0.0
            cells += [f"{len(found)}", f"{middle:.1f}", f"{max(found, default=0.0):.1f}", f"{sum(found):.1f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
