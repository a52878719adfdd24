"""How much is reviewed, how long that takes, how much of it is heard."""

from datetime import timedelta

import pandas as pd
import streamlit as st

from ui.charts.frame import show_chart
from ui.charts.quality import work_per_day
from ui.formats import clock, number, percent
from workbench import preferences, work
from workbench.runtime import Runtime
from workbench.work import Work

__all__ = ["show_reviewers"]

_WINDOW = timedelta(days=28)


def show_reviewers(runtime: Runtime) -> None:
    """Throughput of all reviewers together; by name only where the settings allow it."""
    st.subheader("Reviewing")
    done = work.recent(runtime, _WINDOW)
    if not done.days:
        st.info("Nobody has reviewed during the last four weeks.")
        return
    total = done.total
    columns = st.columns(5)
    columns[0].metric("Reviews, four weeks", total.num_reviews, border=True)
    columns[1].metric("Audio reviewed", clock(total.audio_s), border=True)
    columns[2].metric("Minutes per audio minute", number(total.minutes_per_minute, 1), border=True)
    columns[3].metric("Share listened to", percent(total.listened_share), border=True)
    columns[4].metric("Reviewers", done.num_reviewers, border=True)
    show_chart(
        work_per_day(done.days),
        name="quality.work",
        note="Bars: audio reviewed on a day, by everybody together. Hover over a bar for the work "
        "that a minute of audio made.",
        data=_table(done.days),
    )
    if preferences.get(runtime).review.shows_names:
        st.dataframe(_table(done.reviewers), key="quality.reviewers", hide_index=True)


def _table(rows: tuple[Work, ...]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Name": [row.name for row in rows],
            "Reviews": [row.num_reviews for row in rows],
            "Audio (min)": [round(row.audio_s / 60, 1) for row in rows],
            "Minutes per audio minute": [row.minutes_per_minute for row in rows],
            "Share listened to": [row.listened_share for row in rows],
        }
    )
