"""Which words are wrong, and the clips in which they are."""

from pathlib import Path

import pandas as pd
import streamlit as st

from qe_core.wer import ErrorCounts
from ui import state
from ui.formats import percent, plain
from workbench import quality
from workbench.quality import Confusion
from workbench.runtime import Runtime

__all__ = ["show_errors"]

_LIBRARY = Path(__file__).resolve().parents[2] / "pages" / "library.py"
_NOTHING = "(nothing)"


def show_errors(runtime: Runtime, errors: ErrorCounts) -> None:
    """Pooled counts and the most frequent confusions."""
    st.subheader("Word errors in reviewed clips")
    columns = st.columns(5)
    columns[0].metric("Pooled WER", percent(errors.wer), border=True)
    columns[1].metric("Substitutions", errors.substitutions, border=True)
    columns[2].metric("Deletions", errors.deletions, border=True)
    columns[3].metric("Insertions", errors.insertions, border=True)
    columns[4].metric("Reference words", errors.num_reference_words, border=True)
    st.caption(
        "All errors over all reference words, never a mean of rates. Reviewed clips were mostly "
        "chosen because errors were expected, so they tend to be worse than the stream. Select a "
        "row to see its clips."
    )
    mistakes = quality.confusions(runtime)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        chosen = st.dataframe(
            pd.DataFrame(
                [
                    (
                        one.reference or _NOTHING,
                        one.hypothesis or _NOTHING,
                        one.num_times,
                        one.num_clips,
                    )
                    for one in mistakes
                ],
                columns=["Said", "Written", "Times", "Clips"],
            ),
            key="quality.confusions",
            hide_index=True,
            on_select="rerun",
            selection_mode="single-row",
        )
    rows = chosen["selection"]["rows"]
    if rows and rows[0] < len(mistakes):
        with right:
            _show_clips(runtime, mistakes[rows[0]])


def _show_clips(runtime: Runtime, mistake: Confusion) -> None:
    said, written = (plain(word or _NOTHING) for word in (mistake.reference, mistake.hypothesis))
    st.markdown(f"**{said}** written as **{written}** in:")
    for clip_id, name in quality.clips_with(runtime, mistake).items():
        st.page_link(
            _LIBRARY,
            label=plain(name),
            query_params={state.CLIP: clip_id},
            icon=":material/graphic_eq:",
        )
