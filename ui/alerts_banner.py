"""A quiet line on the pages of the QA lead while something is wrong that nobody took note of."""

from pathlib import Path

import streamlit as st

from ui.formats import plain
from ui.resources import open_runtime
from workbench import alerts

__all__ = ["show_banner"]

_ALERTS = Path(__file__).resolve().parents[1] / "pages" / "alerts.py"


def show_banner() -> None:
    """Name the firing alerts that nobody has acknowledged; nothing while there are none.

    Raises:
        WerkbenchError: the installation cannot be opened
    """
    new = [alert for alert in alerts.firing(open_runtime()) if alert.acknowledged_at is None]
    if not new:
        return
    more = f" And {len(new) - 1} more." if len(new) > 1 else ""
    text = f"{plain(new[0].summary)}{more}"
    with st.container(key="alerts.banner", horizontal=True, vertical_alignment="center"):
        if new[0].severity == "page":
            st.warning(text, icon=":material/notifications_active:")
        else:
            st.info(text, icon=":material/notifications:")
        st.page_link(_ALERTS, label="Alerts", icon=":material/arrow_forward:")
