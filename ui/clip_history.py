"""What people made of a clip's text, and the way back."""

import streamlit as st

from ui.diff import show_diff, show_legend
from ui.formats import percent, plain, seconds, when
from ui.identity import acting_person
from workbench.history import ClipHistory, Version, clip_history, restore
from workbench.runtime import Runtime

__all__ = ["show_history"]

_VERDICTS = {"accept": "Accepted", "correct": "Corrected", "reject": "Rejected"}
_ORIGINS = {"adjudication": "Decided", "restore": "Restored"}


def show_history(runtime: Runtime, clip_id: str, *, key: str) -> None:
    """Show every review against what the engine wrote; leads can go back to an earlier one.

    Args:
        runtime: the runtime
        clip_id: the clip
        key: makes the widgets of this view unique on the page
    """
    found = clip_history(runtime, clip_id, acting_person(runtime))
    if found.is_hidden:
        st.info(
            "Somebody has reviewed this clip and another person will, without seeing the first "
            "text. It is shown here afterwards.",
            icon=":material/visibility_off:",
        )
    if found.versions:
        st.subheader("History", anchor=False)
        show_legend()
    for version in reversed(found.versions):
        _show_version(runtime, version, found, key)
    if found.steps:
        with st.expander(f"What else happened ({len(found.steps)})", key=f"{key}.steps"):
            for step in found.steps:
                note = f": “{plain(step.note)}”" if step.note else ""
                st.caption(f"{when(step.created_at)}  {plain(step.actor)} {plain(step.what)}{note}")


def _show_version(runtime: Runtime, version: Version, found: ClipHistory, key: str) -> None:
    review = version.review
    with st.container(border=True, key=f"{key}.version.{review.id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(_headline(version), width="stretch")
            if version.is_counting:
                st.badge("Counts", icon=":material/check:", color="blue")
            elif version.is_second:
                st.badge("Second, blind", icon=":material/visibility_off:", color="gray")
            if found.can_restore and not version.is_counting:
                st.button(
                    "Restore",
                    key=f"{key}.restore.{review.id}",
                    icon=":material/history:",
                    help="Makes this text count again, as a new review; nothing is taken away.",
                    on_click=_restore,
                    args=(runtime, review.id),
                )
        st.text(review.text or _reason(version))
        if any(word.operation != "hit" for word in version.alignment):
            show_diff(version.alignment)


def _restore(runtime: Runtime, review_id: str) -> None:
    restore(runtime, review_id, acting_person(runtime))


def _headline(version: Version) -> str:
    review = version.review
    verdict = _ORIGINS.get(review.origin) or _VERDICTS[review.verdict]
    work = (
        f"{seconds(review.lead_time_s)} spent, {percent(review.listened_share)} heard, "
        f"{review.replays} replays"
        if review.origin == "desk"
        else "as a lead"
    )
    return (
        f"{verdict} by {plain(review.reviewer)}, {when(review.created_at)}: "
        f"predicted {percent(review.predicted_wer)}, actual {percent(review.actual_wer)}, {work}."
    )


def _reason(version: Version) -> str:
    if version.review.reject_reason:
        return version.review.reject_reason.replace("_", " ")
    return "(nothing is said)"
