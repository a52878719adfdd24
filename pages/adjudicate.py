"""Adjudicate: what only a lead decides, and who works on what."""

from pathlib import Path

import streamlit as st

from ui.adjudication import show_dispute, show_escalation, show_holding
from ui.identity import acting_person
from ui.messages import shown_errors
from ui.resources import open_runtime
from workbench import adjudication, review
from workbench.runtime import Runtime

_REVIEW = Path(__file__).with_name("review.py")


def _show_page() -> None:
    st.title("Adjudicate")
    with shown_errors():
        runtime = open_runtime()
        actor = acting_person(runtime)
        num_disputed, num_escalated = adjudication.num_undecided(runtime)
        differ, handed, held = st.tabs(
            [f"Differences ({num_disputed})", f"Handed over ({num_escalated})", "At work now"],
            key="adjudicate.tabs",
        )
        with differ:
            _show_disputes(runtime, actor)
        with handed:
            _show_escalations(runtime, actor)
        with held:
            _show_holdings(runtime, actor)


def _show_disputes(runtime: Runtime, actor: str) -> None:
    found = adjudication.disputes(runtime, actor)
    if not found:
        st.info(
            "No two reviewers differ. Which share of the clips two people review is chosen on "
            "the settings page; how far they agree stands on the quality page.",
            icon=":material/balance:",
        )
        return
    st.caption(
        "Two people reviewed these clips without seeing each other's text. What you save is the "
        "reference from now on, for the WER of the stream and for training."
    )
    show_dispute(runtime, found[0], actor)
    if len(found) > 1:
        st.caption(f"{len(found) - 1} more wait.")


def _show_escalations(runtime: Runtime, actor: str) -> None:
    found = adjudication.escalations(runtime, actor)
    if not found:
        st.info(
            "Nobody has handed you a clip. Annotators do that at the desk, with a note.",
            icon=":material/inbox:",
        )
    for item in found:
        show_escalation(runtime, item, actor, desk=_REVIEW)


def _show_holdings(runtime: Runtime, actor: str) -> None:
    found = review.holdings(runtime, actor)
    if not found:
        st.info("Nobody holds a clip at the moment.", icon=":material/person_off:")
    for item in found:
        show_holding(runtime, item, actor, desk=_REVIEW)


_show_page()
