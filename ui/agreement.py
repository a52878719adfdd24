"""How much reviewers agree, on the quality page."""

import streamlit as st

from ui.formats import counted, percent
from workbench.agreement import agreement
from workbench.runtime import Runtime

__all__ = ["show_agreement"]


def show_agreement(runtime: Runtime) -> None:
    """Show the WER between reviewers who did not see each other's text."""
    found = agreement(runtime)
    st.subheader("Agreement between reviewers")
    if not found.num_pairs:
        if found.share:
            st.info(
                f"{percent(found.share)} of the reviewed clips go to a second person; "
                f"{found.num_waiting} wait for one, and none has been reviewed twice yet.",
                icon=":material/group:",
            )
        else:
            st.info(
                "No clip is reviewed twice. An admin chooses a share of clips for that on the "
                "settings page; then this says how far two people differ.",
                icon=":material/group:",
            )
        return
    columns = st.columns(4)
    columns[0].metric("WER between reviewers", percent(found.counts.wer), border=True)
    columns[1].metric("Clips reviewed twice", found.num_pairs, border=True)
    columns[2].metric("Same text", found.num_same, border=True)
    columns[3].metric("Wait for a lead", found.num_disputed, border=True)
    unusable = (
        f" Left out of it: {counted(found.num_unusable, 'clip')} that one of the two rejected."
        if found.num_unusable
        else ""
    )
    st.caption(
        f"The second text against the first, pooled over {found.counts.num_reference_words} "
        f"words of {counted(found.num_pairs - found.num_unusable, 'clip')}; neither person saw "
        f"the other's.{unusable} "
        "No engine can be measured more finely than people agree."
    )
