"""A chart with everything around it: how to read it, its numbers as CSV, its picture as PNG."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

__all__ = ["show_chart"]


def show_chart(figure: go.Figure, *, name: str, note: str, data: pd.DataFrame) -> None:
    """Show a chart.

    Args:
        figure: with title and axis units
        name: stable; names the files and the widgets, e.g. ``"quality.stream"``
        note: one or two sentences on how to read it
        data: the numbers behind it, headings with units
    """
    file_name = f"werkbench-{name.replace('.', '-').replace('_', '-')}"
    st.plotly_chart(
        figure,
        key=name,
        config={
            "displaylogo": False,
            # Always there: nobody looks for a picture where nothing shows that there is one.
            "displayModeBar": True,
            # The picture is made in the browser, without any server.
            "modeBarButtons": [["toImage", "resetScale2d"]],
            "toImageButtonOptions": {"format": "png", "filename": file_name, "scale": 2},
        },
    )
    left, right = st.columns([6, 1], vertical_alignment="top")
    left.caption(note)
    right.download_button(
        "CSV",
        data.to_csv(index=False),
        file_name=f"{file_name}.csv",
        mime="text/csv",
        key=f"{name}.csv",
        on_click="ignore",
        icon=":material/download:",
        type="tertiary",
        help="The numbers of this chart. Its picture as PNG: the camera above the chart.",
    )
