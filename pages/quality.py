"""Quality: how good the transcripts are, and how good the predictions about them."""

from pathlib import Path

import streamlit as st

from ui.agreement import show_agreement
from ui.formats import clock
from ui.messages import shown_errors
from ui.quality.budget import show_budget
from ui.quality.errors import show_errors
from ui.quality.predictions import show_predictions, show_slices
from ui.quality.reviewers import show_reviewers
from ui.quality.stream import show_stream
from ui.resources import open_runtime
from workbench import quality
from workbench.comparison import comparison
from workbench.quality import Counts

_REVIEW = Path(__file__).with_name("review.py")


def _show_page() -> None:
    st.title("Quality")
    with shown_errors():
        runtime = open_runtime()
        counts, errors = quality.count(runtime)
        _show_counts(counts)
        show_stream(runtime)
        if counts.num_clips:
            show_budget(runtime)
        if not counts.num_reviewed:
            st.info("Nothing to compare yet: review a few clips, and this page fills.")
            st.page_link(_REVIEW, label="Go to review", icon=":material/edit_note:")
            return
        found = comparison(runtime)
        if found.num_clips:
            show_predictions(found)
            show_slices(found)
        show_errors(runtime, errors)
        show_reviewers(runtime)
        show_agreement(runtime)


def _show_counts(counts: Counts) -> None:
    columns = st.columns(5)
    columns[0].metric("Clips", counts.num_clips, border=True)
    columns[1].metric("Flagged", counts.num_flagged, border=True)
    columns[2].metric("Reviewed", counts.num_reviewed, border=True)
    columns[3].metric("Audio", clock(3600 * counts.hours), border=True)
    columns[4].metric("Audio reviewed", clock(3600 * counts.reviewed_hours), border=True)


_show_page()
