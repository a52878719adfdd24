"""A recogniser without a quality model of its own: how far it has come, and the one next step."""

from dataclasses import asdict

import pandas as pd
import streamlit as st

from qe_core.estimation.adaptation import STAGES
from ui.formats import counted, percent, plain
from ui.identity import acting_person
from ui.settings.left_out import left_out_text
from workbench import adapt, preferences, retrain
from workbench.cold_start import ColdStart, Stage
from workbench.runtime import Runtime

__all__ = ["progress_of", "show_cold_start", "stage_row"]

_COLUMNS = (
    "Corrections",
    "Adapted with",
    "Mean error of the predicted WER",
    "True WERs inside their interval",
    "Mean width of the interval",
)


def show_cold_start(runtime: Runtime, cold: ColdStart, *, is_busy: bool) -> None:
    """Show what has been reached, what is missing, and one button for what comes next.

    Args:
        runtime: the runtime
        cold: where the recogniser stands
        is_busy: a challenger is being made, or clips are being estimated again
    """
    st.markdown(_state(cold))
    st.progress(progress_of(cold.num_teaching), _next(cold))
    st.table(
        pd.DataFrame([stage_row(stage, cold) for stage in cold.stages], columns=_COLUMNS),
        hide_index=True,
        border="horizontal",
    )
    if any(stage.after for stage in cold.stages):
        level = preferences.get(runtime).quality.interval_level
        st.caption(
            "Without any adaptation → with it, every clip judged by an adaptation that was fitted "
            f"without its recording. Intervals promise {percent(level)}."
        )
    if cold.left_out.total:
        st.caption(f"Not usable: {left_out_text(asdict(cold.left_out))}.")
    with st.container(horizontal=True):
        if cold.step == "train":
            _offer_training(runtime, cold, is_busy=is_busy)
        _offer_adapting(runtime, cold, is_busy=is_busy)
    if cold.step != "train":
        st.caption(
            f"A model of its own takes {cold.num_teaching_needed} corrections to learn from "
            f"({cold.num_teaching} are there) and {cold.num_judging_needed} audits that are kept "
            f"to judge by ({cold.num_judging} are there); the queue draws them among the others. "
            "Then this button trains one."
        )


def progress_of(num_corrections: int) -> float:
    """How full the bar is: every stage takes the same length.

    Examples:
        >>> [round(progress_of(count), 2) for count in (0, 15, 30, 100, 200, 300, 900)]
        [0.0, 0.17, 0.33, 0.67, 0.83, 1.0, 1.0]
    """
    former = 0
    for index, number in enumerate(STAGES):
        if num_corrections < number:
            return (index + (num_corrections - former) / (number - former)) / len(STAGES)
        former = number
    return 1.0


def stage_row(stage: Stage, cold: ColdStart) -> tuple[str, ...]:
    """A line of the table: what was reached with so many corrections, or what is missing."""
    before, after = stage.before, stage.after
    if before is None or after is None:
        missing = stage.num_corrections - cold.num_teaching
        state = f"{missing} more are missing" if missing > 0 else "not tried"
        return (str(stage.num_corrections), state, "–", "–", "–")
    figures = (
        f"{percent(getattr(before, name))} → {percent(getattr(after, name))}"
        for name in ("mae", "coverage", "interval_width")
    )
    return (str(stage.num_corrections), str(stage.num_adapted), *figures)


def _state(cold: ColdStart) -> str:
    text = f"**{plain(cold.recogniser)} has no quality model of its own.** "
    if cold.num_adapted:
        text += (
            "The one for any recogniser judges it, adapted to it with "
            f"{counted(cold.num_adapted, 'correction')}."
        )
    else:
        text += (
            "The one for any recogniser judges it: it puts clips in order, but how high it says "
            "the WER is has to be adapted to this recogniser."
        )
    if cold.num_on_trial:
        text += (
            f" An adaptation with {cold.num_on_trial} corrections is on trial: "
            "it scores new clips along before it serves."
        )
    return text


def _next(cold: ColdStart) -> str:
    following = next((number for number in STAGES if number > cold.num_teaching), None)
    have = counted(cold.num_teaching, "correction")
    if following is None:
        text = f"{have}: more hardly change the adaptation"
    elif following == STAGES[0]:
        text = f"{cold.num_teaching} of {following} corrections before it can be adapted"
    else:
        text = f"{have}; the next stage is at {following}"
    if cold.num_judging:
        noun = "audit is" if cold.num_judging == 1 else "audits are"
        text += f" ({cold.num_judging} more {noun} kept to judge by)"
    return text


def _offer_training(runtime: Runtime, cold: ColdStart, *, is_busy: bool) -> None:
    if st.button(
        f"Train a model for {cold.recogniser}",
        key="settings.retrain",
        type="primary",
        icon=":material/model_training:",
        disabled=is_busy,
    ):
        retrain.start(runtime, acting_person(runtime))
        st.rerun()


def _offer_adapting(runtime: Runtime, cold: ColdStart, *, is_busy: bool) -> None:
    is_first = not cold.num_adapted and not cold.num_on_trial
    if st.button(
        f"Adapt to {cold.recogniser}" if is_first else "Adapt again",
        key="settings.adapt",
        type="secondary" if cold.step == "train" else "primary",
        icon=":material/tune:",
        disabled=is_busy or cold.num_missing > 0,
    ):
        adapt.start(runtime, acting_person(runtime))
        st.rerun()
    if cold.num_missing:
        noun = "correction" if cold.num_missing == 1 else "corrections"
        when = "it can adapt" if is_first else "adapting again is worth it"
        st.caption(f"{cold.num_missing} more {noun} before {when}.")
