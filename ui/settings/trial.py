"""A challenger on trial: what it and the champion say about new clips, and what is missing."""

import pandas as pd
import streamlit as st

from ui.formats import number, percent, plain, when
from ui.identity import acting_person
from ui.messages import shown_errors
from workbench import retrain, shadow
from workbench.runtime import Runtime
from workbench.shadow import Trial

__all__ = ["show_trial"]

_ON_AUDITS = (
    ("Errors found in the first 20 % of audio", "er20", percent),
    ("Mean absolute error of the WER", "mae", percent),
    ("Rank correlation (Spearman)", "spearman", number),
)


def show_trial(runtime: Runtime) -> None:
    """Show champion and challenger side by side, if one is on trial; promote or drop it."""
    trial = shadow.find(runtime)
    if trial is None:
        return
    st.markdown(
        f"**On trial:** {plain(trial.estimator)} scores new clips along, unseen by annotators, "
        f"since {when(trial.begun_at)}."
    )
    left, right = st.columns(2, gap="medium")
    with left:
        st.table(_side_by_side(trial), hide_index=True, border="horizontal")
    with right:
        _show_missing(runtime, trial)


def _side_by_side(trial: Trial) -> pd.DataFrame:
    rows = [
        (
            f"Mean predicted WER of {trial.num_clips:,} new clips",
            percent(trial.champion_wer),
            percent(trial.challenger_wer),
        )
    ]
    for label, name, write in _ON_AUDITS:
        figures = [
            None if metrics is None else getattr(metrics, name)
            for metrics in (trial.champion, trial.challenger)
        ]
        rows.append((f"{label}, {trial.num_audits:,} audits", write(figures[0]), write(figures[1])))
    return pd.DataFrame(rows, columns=["On the same new clips", "Champion", "Challenger"])


def _show_missing(runtime: Runtime, trial: Trial) -> None:
    if trial.missing:
        st.markdown("Before it is promoted by itself, this is missing:")
        st.markdown("\n".join(f"- {plain(text)}" for text in trial.missing))
    else:
        st.markdown("Nothing is missing: it is promoted within a minute.")
    with shown_errors(), st.container(horizontal=True):
        if st.button("Promote now", key="settings.trial.promote"):
            retrain.promote(runtime, trial.version_id, acting_person(runtime))
            st.rerun()
        if st.button("Drop the challenger", key="settings.trial.drop"):
            shadow.drop(runtime, acting_person(runtime))
            st.rerun()
