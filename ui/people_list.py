"""People and their roles, to be changed by an admin."""

import streamlit as st

from qe_core.errors import WerkbenchError
from storage.records import Person
from ui.formats import plain, when
from ui.messages import show_error
from workbench import people
from workbench.people import ROLES, Role
from workbench.runtime import Runtime

__all__ = ["show_new_person", "show_person"]

_NAMES = {role: meaning.split(":", maxsplit=1)[0] for role, meaning in ROLES.items()}


def show_person(runtime: Runtime, person: Person, actor: str) -> None:
    """Show one person; another choice of role is stored at once.

    Args:
        runtime: the runtime
        person: who
        actor: the admin
    """
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(width="stretch", gap=None):
            you = " :gray[(you)]" if person.name == actor else ""
            st.markdown(f"**{plain(person.name)}**{you}")
            how = "logs in" if person.subject else "gave this name"
            by = f", by {plain(person.actor)}" if person.actor else ""
            st.caption(
                f"{how}; {_NAMES[_role_of(person)].lower()} since {when(person.created_at)}{by}"
            )
        roles = list(ROLES)
        chosen = st.selectbox(
            "Role",
            roles,
            index=roles.index(_role_of(person)),
            format_func=_NAMES.__getitem__,
            key=f"people.role.{person.id}",
            label_visibility="collapsed",
            width=180,
        )
    if chosen != person.role:
        _give(runtime, person.name, chosen, actor)


def show_new_person(runtime: Runtime, actor: str) -> None:
    """Let somebody in before they come: by name, or by the address that their provider knows."""
    with st.form("people.new", clear_on_submit=True):
        left, middle, right = st.columns([4, 2, 2], vertical_alignment="bottom")
        name = left.text_input("Name or e-mail address", key="people.new.name", max_chars=60)
        role = middle.selectbox(
            "Role", list(ROLES), format_func=_NAMES.__getitem__, key="people.new.role"
        )
        if right.form_submit_button("Add", key="people.new.save"):
            _give(runtime, name, role, actor)


def _give(runtime: Runtime, name: str, role: Role, actor: str) -> None:
    try:
        people.set_role(runtime, name, role, actor=actor)
    except WerkbenchError as error:
        show_error(error.message, error.suggestion)
    else:
        st.rerun()


def _role_of(person: Person) -> Role:
    return next((role for role in ROLES if role == person.role), "none")
