"""People: who works here, and what they may do."""

import streamlit as st

from ui.identity import acting_person
from ui.messages import shown_errors
from ui.people_list import show_new_person, show_person
from ui.resources import open_runtime
from workbench import people
from workbench.people import ROLES


def _show_page() -> None:
    st.title("People")
    with shown_errors():
        runtime = open_runtime()
        actor = acting_person(runtime)
        found = people.everybody(runtime, actor)
        if not found:
            st.info(
                "Nobody has given a name yet, so this installation is yours alone. The first "
                "person who types a name in the sidebar becomes its admin.",
                icon=":material/group:",
            )
        for person in found:
            show_person(runtime, person, actor)
        if found:
            show_new_person(runtime, actor)
        with st.expander("What the roles mean", key="people.roles"):
            st.markdown("\n".join(f"- {meaning}" for meaning in ROLES.values()))


_show_page()
