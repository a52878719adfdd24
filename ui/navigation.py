"""The script that Streamlit runs for every page: navigation, status footer, then the page."""

from pathlib import Path

import streamlit as st

from ui.alerts_banner import show_banner
from ui.footer import show_footer
from ui.identity import identify
from ui.messages import shown_errors
from ui.resources import open_runtime
from workbench.people import Role

# Streamlit's own margins leave 850 of 1280 pixels; a workbench needs the room.
_DENSE = """<style>
[data-testid="stMainBlockContainer"] { padding: 2.5rem 2rem 2rem; }
[data-testid="stSidebarUserContent"] { padding-bottom: 1rem; }
</style>"""
_ASSETS = Path(__file__).with_name("assets")
_PAGES = Path(__file__).resolve().parents[1] / "pages"
_RANKS: tuple[Role, ...] = ("annotator", "lead", "admin")
_PAGES_BY_ROLE: tuple[tuple[Role, str, str], ...] = (
    ("annotator", "Intake", "input"),
    ("annotator", "Review", "edit_note"),
    ("annotator", "Library", "folder_open"),
    ("lead", "Adjudicate", "balance"),
    ("lead", "Quality", "monitoring"),
    ("lead", "Drift", "timeline"),
    ("lead", "Alerts", "notifications"),
    ("admin", "People", "group"),
    ("admin", "Settings", "tune"),
)
# Annotators are not disturbed; on the page of alerts everything is there anyway.
_FOR_LEADS = {"Quality", "Drift", "Settings"}

st.set_page_config(
    page_title="Werkbench",
    page_icon=str(_ASSETS / "icon.svg"),
    layout="wide",
    initial_sidebar_state="expanded",
)
st.html(_DENSE)
st.logo(_ASSETS / "logo.svg", size="large")
role: Role = "none"
with shown_errors():
    role = identify(open_runtime())
if role == "none":
    st.stop()
page = st.navigation(
    [
        st.Page(
            _PAGES / f"{title.lower()}.py",
            title=title,
            icon=f":material/{icon}:",
            default=title == "Intake",
        )
        for needed, title, icon in _PAGES_BY_ROLE
        if _RANKS.index(role) >= _RANKS.index(needed)
    ]
)
if page.title in _FOR_LEADS:
    with shown_errors():
        show_banner()
page.run()
with shown_errors():
    show_footer()
