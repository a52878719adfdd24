"""The script that Streamlit runs for every page: navigation, status footer, then the page."""

from pathlib import Path

import streamlit as st

from ui.alerts_banner import show_banner
from ui.footer import show_footer
from ui.messages import shown_errors

# Streamlit's own margins leave 850 of 1280 pixels; a workbench needs the room.
_DENSE = """<style>
[data-testid="stMainBlockContainer"] { padding: 2.5rem 2rem 2rem; }
[data-testid="stSidebarUserContent"] { padding-bottom: 1rem; }
</style>"""
_ASSETS = Path(__file__).with_name("assets")
_PAGES = Path(__file__).resolve().parents[1] / "pages"
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
page = st.navigation(
    [
        st.Page(_PAGES / "intake.py", title="Intake", icon=":material/input:", default=True),
        st.Page(_PAGES / "review.py", title="Review", icon=":material/edit_note:"),
        st.Page(_PAGES / "library.py", title="Library", icon=":material/folder_open:"),
        st.Page(_PAGES / "quality.py", title="Quality", icon=":material/monitoring:"),
        st.Page(_PAGES / "drift.py", title="Drift", icon=":material/timeline:"),
        st.Page(_PAGES / "alerts.py", title="Alerts", icon=":material/notifications:"),
        st.Page(_PAGES / "settings.py", title="Settings", icon=":material/tune:"),
    ]
)
if page.title in _FOR_LEADS:
    with shown_errors():
        show_banner()
page.run()
with shown_errors():
    show_footer()
