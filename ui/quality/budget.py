"""What so many minutes of review a day buy."""

import pandas as pd
import streamlit as st

from qe_core.monitoring.budget import Plan
from ui.charts.frame import show_chart
from ui.charts.quality import budget_curve
from ui.formats import counted, percent
from ui.identity import acting_person
from workbench import budget
from workbench.budget import Simulator
from workbench.runtime import Runtime

__all__ = ["show_budget"]

_NUM_POINTS = 25


@st.fragment
def show_budget(runtime: Runtime) -> None:
    """A slider for the budget, what it buys, and a button that sets the threshold for it."""
    st.subheader("Review budget")
    found = budget.simulator(runtime)
    if found is None:
        st.info("With the first clips, this says what a budget of review minutes buys.")
        return
    most = max(1, round(found.minutes_for_all))
    minutes = st.slider(
        "Minutes of review a day",
        min_value=0,
        max_value=most,
        value=min(most, max(1, round(found.at_threshold(found.threshold).minutes))),
        key="quality.budget",
    )
    plan = found.for_budget(float(minutes))
    _show_plan(plan)
    _offer(runtime, found, plan)
    plans = [found.for_budget(most * step / _NUM_POINTS) for step in range(_NUM_POINTS + 1)]
    work = (
        f"Reviews took {found.work:.1f} minutes per minute of audio."
        if found.is_work_measured
        else f"Assumed: {counted(found.work, 'minute')} of work per minute of audio; "
        "measured from five reviews on."
    )
    show_chart(
        budget_curve(plans, plan),
        name="quality.budget_curve",
        note=f"Errors in the clips that a budget flags, and the WER that remains when they are "
        f"right. The dotted line is the budget of the slider. {work} What came in during the last "
        f"{counted(found.num_days, 'day')} stands for every day.",
        data=pd.DataFrame(plans),
    )


def _show_plan(plan: Plan) -> None:
    columns = st.columns(4)
    columns[0].metric("Errors found", percent(plan.share_of_errors), border=True)
    columns[1].metric(
        "WER that remains",
        percent(plan.residual_wer),
        delta=None if plan.wer is None else f"from {percent(plan.wer)}",
        delta_color="off",
        delta_arrow="off",
        border=True,
    )
    columns[2].metric("Audio to review", percent(plan.share_of_audio), border=True)
    columns[3].metric("Flag from a predicted WER of", percent(plan.threshold), border=True)


def _offer(runtime: Runtime, found: Simulator, plan: Plan) -> None:
    is_new = round(plan.threshold, 2) != round(found.threshold, 2)
    now = found.at_threshold(found.threshold)
    left, right = st.columns([2, 5], vertical_alignment="center")
    if left.button(
        "Flag for this budget", key="quality.budget.save", type="primary", disabled=not is_new
    ):
        budget.choose_threshold(runtime, plan.threshold, acting_person(runtime))
        st.rerun()
    right.caption(
        f"Flagged now: from {percent(found.threshold)} on, {counted(now.minutes, 'minute')} a "
        f"day, {percent(now.share_of_errors)} of all errors. This choice: "
        f"{counted(plan.minutes, 'minute')}."
    )
