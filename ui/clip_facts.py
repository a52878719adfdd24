"""What is known about the file and how the estimate came about."""

import pandas as pd
import streamlit as st

from qe_core.features import INFO
from ui.formats import clock, number, plain, when
from workbench.library import ClipDetails

__all__ = ["show_facts"]


def show_facts(details: ClipDetails) -> None:
    """Show format, origin and every feature of a clip, folded away."""
    with st.expander("File and origin", key="facts.file"):
        clip = details.clip
        st.table(
            {
                "Identity (SHA-256)": plain(clip.id),
                "Length": clock(clip.duration_s),
                "Size": f"{clip.size_bytes / 1024:.0f} KB",
                "Format": plain(f"{clip.container}, {clip.codec}"),
                "Sample rate": f"{clip.sample_rate_hz} Hz",
                "Channels": str(clip.num_channels),
                "Bandwidth": "–" if clip.bandwidth_hz is None else f"{clip.bandwidth_hz:.0f} Hz",
                "Recording": plain(clip.recording or "this clip alone"),
                "Source": clip.source.capitalize(),
                "Added": when(clip.created_at),
                "Added by": plain(clip.actor or "–"),
            },
            border="horizontal",
        )
    if details.assessment is not None:
        with st.expander("Features behind the estimate", key="facts.features"):
            st.caption(
                f"Estimated by {plain(details.assessment.estimate.estimator)}, "
                f"{when(details.assessment.created_at)}."
            )
            st.dataframe(
                pd.DataFrame(
                    [
                        (INFO[name].label if name in INFO else name, number(value, 3), _unit(name))
                        for name, value in details.assessment.features.items()
                    ],
                    columns=["Feature", "Value", "Unit"],
                ),
                hide_index=True,
            )


def _unit(name: str) -> str:
    return INFO[name].unit if name in INFO else ""
