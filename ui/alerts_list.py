"""One alert as a card to act on, and all former ones as a table."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from storage.records import Alert
from ui.formats import number, percent, plain, when
from ui.identity import acting_person
from ui.messages import shown_errors
from workbench import alerts
from workbench.readings import SIGNALS
from workbench.runtime import Runtime

__all__ = ["show_card", "show_past", "show_pending", "signal_value"]

_SEVERITIES = {"page": ":orange-badge[urgent]", "notice": ":blue-badge[notice]"}
_BYTES_PER_GB = 1e9
_PAGES = Path(__file__).resolve().parents[1] / "pages"
_ICONS = {"quality": ":material/monitoring:", "drift": ":material/timeline:"}
_ON_DRIFT = frozenset({"outcome_moved", "inputs_moved"})
_ON_QUALITY = ("stream_wer", "audit_", "interval_coverage")


def signal_value(signal: str, value: float) -> str:
    """A value of a signal in its own unit.

    Examples:
        >>> signal_value("stream_wer_low", 0.41), signal_value("jobs_waiting_seconds", 5400)
        ('41 %', '90 min')
        >>> signal_value("disk_free_bytes", 1.5e9), signal_value("jobs_waiting", 12)
        ('1.5 GB', '12')
    """
    kind = SIGNALS[signal].kind if signal in SIGNALS else "number"
    if kind == "share":
        return percent(value)
    if kind == "seconds":
        return f"{value / 60:.0f} min"
    if kind == "bytes":
        return f"{value / _BYTES_PER_GB:.1f} GB"
    return number(value, 0 if kind == "count" else 2)


def show_card(runtime: Runtime, alert: Alert) -> None:
    """Show a firing alert: what is wrong, by how much, since when, what to do, who knows."""
    with st.container(border=True, key=f"alerts.card.{alert.id}"):
        st.markdown(f"{_SEVERITIES[alert.severity]} **{plain(alert.summary)}**")
        value, worst = (signal_value(alert.signal, one) for one in (alert.value, alert.worst))
        bound = signal_value(alert.signal, alert.bound)
        meaning = SIGNALS[alert.signal].meaning if alert.signal in SIGNALS else alert.signal
        st.markdown(plain(alert.advice))
        st.caption(
            f"{meaning}: {value} now, {worst} at worst, bound {bound}. Since "
            f"{when(alert.started_at)}, firing since {when(alert.fired_at)}. "
            f"Rule {plain(alert.rule)}."
        )
        if alert.acknowledged_at is not None:
            note = f": “{plain(alert.note)}”" if alert.note else "."
            st.caption(
                f":material/check: Acknowledged by {plain(alert.acknowledged_by or '')} "
                f"{when(alert.acknowledged_at)}{note}"
            )
        with st.container(horizontal=True, vertical_alignment="center"):
            _show_form(runtime, alert)
            page = _page_of(alert.signal)
            if page is not None:
                st.page_link(_PAGES / f"{page}.py", label=f"Go to {page}", icon=_ICONS[page])


def show_pending(pending: Sequence[Alert]) -> None:
    """Name the conditions that have not lasted long enough yet."""
    for alert in pending:
        value = signal_value(alert.signal, alert.value)
        st.caption(
            f":material/hourglass_empty: {plain(alert.summary)} {value} now, since "
            f"{when(alert.started_at)}; it becomes an alert if it lasts."
        )


def show_past(past: Sequence[Alert]) -> None:
    """A table of alerts that are over, newest first."""
    rows = [
        (
            alert.fired_at,
            alert.resolved_at,
            alert.summary,
            signal_value(alert.signal, alert.worst),
            signal_value(alert.signal, alert.bound),
            ": ".join(part for part in (alert.acknowledged_by, alert.note) if part),
        )
        for alert in past
    ]
    names = ["Fired", "Resolved", "What", "Worst", "Bound", "Acknowledged by"]
    st.dataframe(
        pd.DataFrame(rows, columns=names),
        key="alerts.past",
        hide_index=True,
        height="content",
        placeholder="",
        column_config={
            "Fired": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm", timezone="UTC"),
            "Resolved": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm", timezone="UTC"),
            "What": st.column_config.TextColumn(width="large"),
        },
    )


def _page_of(signal: str) -> str | None:
    """Which page shows more about a signal."""
    if signal in _ON_DRIFT:
        return "drift"
    return "quality" if signal.startswith(_ON_QUALITY) else None


def _show_form(runtime: Runtime, alert: Alert) -> None:
    label = "Acknowledge" if alert.acknowledged_at is None else "Change the note"
    with st.popover(label, icon=":material/edit_note:"):
        note = st.text_area(
            "What is being done about it",
            value=alert.note,
            key=f"alerts.note.{alert.id}",
            max_chars=alerts.MAX_NOTE_CHARACTERS,
            placeholder="Optional, for whoever looks next",
        )
        if st.button("Save", key=f"alerts.acknowledge.{alert.id}", type="primary"):
            with shown_errors():
                alerts.acknowledge(runtime, alert.id, by=acting_person(runtime), note=note or "")
                st.rerun()
