"""When a quality model is trained by itself, and how long it is tried before it serves."""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any

import streamlit as st

from ui.identity import acting_person
from workbench import preferences
from workbench.runtime import Runtime

__all__ = ["show_schedule", "show_trial_rules"]

_USUAL = "03:00"
_MANY = 1_000_000
_YEAR_H = 8760.0


def show_schedule(runtime: Runtime) -> None:
    """Choose when a training begins without anybody pressing the button."""
    current = preferences.get(runtime).retrain
    now = datetime.now().astimezone()
    with st.form("settings.schedule", border=False):
        left, middle, right = st.columns(3)
        at = left.time_input(
            f"Hour of the day, now {now:%H:%M} ({now.tzname()}) at the server",
            value=time.fromisoformat(current.schedule or _USUAL),
            step=900,
            key="settings.schedule.at",
        )
        is_daily = left.checkbox(
            "Train daily at this hour", bool(current.schedule), key="settings.schedule.daily"
        )
        reviews = middle.number_input(
            "After so many new corrections, 0 for never",
            min_value=0,
            max_value=_MANY,
            value=current.every_reviews,
            step=10,
            key="settings.schedule.reviews",
        )
        hours = right.number_input(
            "So many hours after the last one, 0 for never",
            min_value=0.0,
            max_value=_YEAR_H,
            value=current.every_hours,
            step=1.0,
            format="%g",
            key="settings.schedule.hours",
        )
        if st.form_submit_button("Use this schedule", key="settings.schedule.save"):
            _choose(
                runtime,
                {
                    "retrain.schedule": f"{at:%H:%M}" if is_daily else "",
                    "retrain.every_reviews": int(reviews),
                    "retrain.every_hours": float(hours),
                },
            )
            st.rerun()
    st.caption(
        f"Whichever comes first, and only with {current.min_new_reviews:,} new corrections or more "
        "(retrain.min_new_reviews). New clips wait while a model is trained: on two cores less "
        "than a minute for 500 corrections. It serves only if it passes the gate; all clips are "
        "estimated again then."
    )


def show_trial_rules(runtime: Runtime) -> None:
    """Choose for how long a challenger is tried on new clips before it serves."""
    current = preferences.get(runtime).quality
    with st.form("settings.rules", border=False):
        left, middle, right = st.columns(3)
        hours = left.number_input(
            "Hours, 0 for none",
            min_value=0.0,
            max_value=_YEAR_H,
            value=current.shadow_hours,
            step=1.0,
            format="%g",
            key="settings.rules.hours",
        )
        num_clips = middle.number_input(
            "New clips, 0 for none",
            min_value=0,
            max_value=_MANY,
            value=current.shadow_clips,
            step=10,
            key="settings.rules.clips",
        )
        num_audits = right.number_input(
            "Audits among them that have to speak for it",
            min_value=1,
            max_value=_MANY,
            value=max(1, current.shadow_audits),
            step=1,
            key="settings.rules.audits",
        )
        if st.form_submit_button("Use this trial", key="settings.rules.save"):
            _choose(
                runtime,
                {
                    "quality.shadow_hours": float(hours),
                    "quality.shadow_clips": int(num_clips),
                    "quality.shadow_audits": int(num_audits),
                },
            )
            st.rerun()
    st.caption(
        "A challenger that passed the gate first scores new clips along, unseen by annotators: a "
        "second estimate per clip, no second transcription. It serves when hours and clips have "
        "passed and the audits do not speak against it. With no hours and no clips it serves at "
        "once. A trial that has begun goes by the new figures."
    )


def _choose(runtime: Runtime, values: Mapping[str, Any]) -> None:
    """Save what differs from what holds, all of it or nothing."""
    settings = preferences.get(runtime)
    changed = {
        key: value
        for key, value in values.items()
        if getattr(getattr(settings, key.split(".")[0]), key.split(".")[1]) != value
    }
    preferences.set_all(runtime, changed, acting_person(runtime))
