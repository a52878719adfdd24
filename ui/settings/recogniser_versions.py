"""The recognisers that learnt from corrections: how good each is, promotion and rollback."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from ui.formats import clock, percent, plain, when
from ui.identity import acting_person
from ui.messages import shown_errors
from ui.resources import load_engine
from workbench import recognisers
from workbench.recognisers import RecogniserVersion
from workbench.runtime import Runtime

__all__ = ["show_recogniser_versions"]


def show_recogniser_versions(runtime: Runtime) -> None:
    """Show every version with its figures, the latest verdict, promotion and rollback."""
    versions = recognisers.versions(runtime)
    if not versions:
        st.caption("No recogniser has been fine-tuned yet; the first one will be listed here.")
        return
    _show_table(versions)
    _show_verdict(versions[0])
    _show_actions(runtime, versions)


def _show_table(versions: Sequence[RecogniserVersion]) -> None:
    st.dataframe(
        pd.DataFrame(
            {
                "Recogniser": [version.name for version in versions],
                "State": [version.state.capitalize() for version in versions],
                "Learnt from": [version.base for version in versions],
                "Trained": [when(version.created_at) for version in versions],
                "Clips": [version.num_clips for version in versions],
                "Audio": [clock(version.duration_s) for version in versions],
                "WER before": [percent(version.wer_before) for version in versions],
                "WER after": [percent(version.wer_after) for version in versions],
                "Improvement": [_points(version.improvement) for version in versions],
            }
        ),
        key="settings.recognisers",
        column_config={"Recogniser": st.column_config.TextColumn(width=200)},
        hide_index=True,
        height="content",
    )
    st.caption(
        "WER on the same held-out clips. Improvement: 95 % interval, in percentage points. Clips "
        "that are here keep their hypothesis; new ones are written by the champion."
    )


def _points(improvement: tuple[float, float] | None) -> str:
    if improvement is None:
        return "–"
    return " to ".join(f"{100 * end:.1f}" for end in improvement)


def _show_verdict(version: RecogniserVersion) -> None:
    verdict = "was refused" if version.state == "refused" else "passed the gate"
    st.markdown(f"**Latest fine-tuning:** {plain(version.name)} {verdict}.")
    for is_met, text in version.conditions:
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            if is_met:
                st.badge("Passed", icon=":material/check:", color="gray")
            else:
                st.badge("Failed", icon=":material/close:", color="orange")
            st.markdown(plain(text), width="stretch")


def _show_actions(runtime: Runtime, versions: Sequence[RecogniserVersion]) -> None:
    others = [version for version in versions if version.state == "retired"]
    is_serving = any(version.state == "champion" for version in versions)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Recogniser",
            others,
            format_func=lambda version: version.name,
            key="settings.recognisers.version",
            placeholder="No other recogniser passed the gate",
            disabled=not others,
        )
        if st.button("Promote", key="settings.recognisers.promote", disabled=not others) and chosen:
            with shown_errors():
                recognisers.promote(runtime, chosen.id, acting_person(runtime))
                load_engine(runtime)
                st.rerun()
        if st.button("Roll back", key="settings.recognisers.rollback", disabled=not is_serving):
            with shown_errors():
                recognisers.rollback(runtime, acting_person(runtime))
                load_engine(runtime)
                st.rerun()
