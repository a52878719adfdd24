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
        with middle:
            reviews = _count(
                "After so many new corrections, 0 for never",
                current.every_reviews,
                key="settings.schedule.reviews",
            )
        with right:
            hours = _hours(
                "So many hours after the last one, 0 for never",
                current.every_hours,
                key="settings.schedule.hours",
            )
        if st.form_submit_button("Use this schedule", key="settings.schedule.save"):
            _choose(
                runtime,
                {
                    "retrain.schedule": f"{at:%H:%M}" if is_daily else "",
                    "retrain.every_reviews": reviews,
                    "retrain.every_hours": hours,
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
        with left:
            hours = _hours("Hours, 0 for none", current.shadow_hours, key="settings.rules.hours")
        with middle:
            num_clips = _count(
                "New clips, 0 for none", current.shadow_clips, key="settings.rules.clips"
            )
        with right:
            num_audits = _count(
                "Audits among them that have to speak for it",
                current.shadow_audits,
                least=1,
                key="settings.rules.audits",
            )
        if st.form_submit_button("Use this trial", key="settings.rules.save"):
            _choose(
                runtime,
                {
                    "quality.shadow_hours": hours,
                    "quality.shadow_clips": num_clips,
                    "quality.shadow_audits": num_audits,
                },
            )
            st.rerun()
    st.caption(
        "A challenger that passed the gate first scores new clips along, unseen by annotators: a "
        "second estimate per clip, no second transcription. It serves when hours and clips have "
        "passed and the audits do not speak against it. With no hours and no clips it serves at "
        "once. A trial that has begun goes by the new figures."
    )


def _count(label: str, value: int, *, key: str, least: int = 0) -> int:
    step = 1 if least else 10
    return int(
        st.number_input(
            label, min_value=least, max_value=_MANY, value=max(least, value), step=step, key=key
        )
    )


def _hours(label: str, value: float, *, key: str) -> float:
    return float(
        st.number_input(
            label,
            min_value=0.0,
            max_value=_YEAR_H,
            value=value,
            step=1.0,
            format="%g",
            key=key,
        )
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
