"""The verdict's arithmetic."""

from __future__ import annotations

from tests.judge.verdict import Change, Fault, Span, both, spans, table, verdict

CHATS = [Change(0, "alive"), Change(10, "dead"), Change(20, "alive"), Change(40, "dead"), Change(50, "alive")]


def test_spans_end_with_the_next_other_value_or_with_the_time() -> None:
    assert list(spans(CHATS, "dead", 60)) == [Span(10, 20), Span(40, 50)]
    assert list(spans(CHATS, "alive", 60)) == [Span(0, 10), Span(20, 40), Span(50, 60)]
    assert list(both([Span(0, 10), Span(20, 30)], [Span(5, 25)])) == [Span(5, 10), Span(20, 25)]


def test_a_second_of_ready_while_the_chat_is_dead_belongs_to_the_fault_before_it() -> None:
    ready = [Change(0, "True"), Change(13, "False"), Change(25, "True"), Change(48, "False"), Change(75, "True")]
    faults = [Fault(9.5, "told", "Watch"), Fault(39.5, "silent", "Service")]
    reasons = [
        Change(0, "Verified"),
        Change(48, "Progressing"),
        Change(60, "NotVerified"),
        Change(75, "Verified"),
    ]
    rows = verdict(CHATS, ready, faults, 2.0, 100, reasons)
    assert (rows["told"].lies, rows["told"].alarms, rows["told"].over) == ([3], [5], [])
    assert (rows["silent"].lies, rows["silent"].alarms) == ([8], [25])
    assert rows["silent"].over == [
        "dead and Ready for 8.0 s from 40 s on · Verified · Progressing at 48 s",
        "well and not Ready for 25.0 s from 50 s on · Progressing · NotVerified at 60 s · Verified at 75 s",
    ]
    assert table(rows).splitlines()[2:] == [
        "| silent | Service | 1 | 1 | 8.0 | 8.0 | 8.0 | 1 | 25.0 | 25.0 | 25.0 |",
        "| told | Watch | 1 | 1 | 3.0 | 3.0 | 3.0 | 1 | 5.0 | 5.0 | 5.0 |",
    ]
