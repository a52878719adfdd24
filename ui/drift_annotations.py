"""Annotations: named moments that the charts show."""

from collections.abc import Sequence
from datetime import UTC, datetime, time

import streamlit as st

from storage.columns import utc_now
from ui.formats import plain
from ui.identity import acting_person
from workbench import annotations
from workbench.annotations import Annotation
from workbench.runtime import Runtime

__all__ = ["show_annotations"]


def show_annotations(runtime: Runtime, known: Sequence[Annotation]) -> None:
    """Let a person name a moment, and take a name away."""
    with st.expander(f"Annotations ({len(known)})", icon=":material/push_pin:"):
        with st.form("drift.annotation", clear_on_submit=True, border=False):
            columns = st.columns([2, 5, 1], vertical_alignment="bottom")
            day = columns[0].date_input("Day (UTC)", value=utc_now().date())
            text = columns[1].text_input(
                "What happened", placeholder="New microphone in room 3", max_chars=120
            )
            if columns[2].form_submit_button("Add"):
                at = datetime.combine(day, time(), UTC)
                annotations.add(runtime, at, text, acting_person(runtime))
                st.rerun()
        for one in known:
            left, right = st.columns([8, 1], vertical_alignment="center")
            left.markdown(f"{one.at:%Y-%m-%d}: {plain(one.text)}")
            if right.button("Remove", key=f"drift.annotation.{one.id}", type="tertiary"):
                annotations.remove(runtime, one.id, acting_person(runtime))
                st.rerun()
