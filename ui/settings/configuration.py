"""Every setting as it holds now, to read."""

from typing import Any

import pandas as pd
import streamlit as st

from workbench import preferences
from workbench.runtime import Runtime

__all__ = ["show_configuration"]


def show_configuration(runtime: Runtime) -> None:
    """List every setting with its value and where the value comes from."""
    chosen = preferences.current(runtime)
    rows = [
        (key, str(value), "Chosen on this page" if key in chosen else "Configuration")
        for key, value in _flat(preferences.get(runtime).model_dump(mode="json"))
    ]
    st.caption(
        "Set in config/*.yaml, or by an environment variable: review.threshold is "
        "WERKBENCH_REVIEW__THRESHOLD. What is chosen on this page wins over both."
    )
    st.dataframe(
        pd.DataFrame(rows, columns=["Setting", "Value", "From"]),
        key="settings.configuration",
        hide_index=True,
    )


def _flat(values: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for name, value in values.items():
        if isinstance(value, dict):
            rows += _flat(value, f"{prefix}{name}.")
        else:
            rows.append((f"{prefix}{name}", value))
    return rows
