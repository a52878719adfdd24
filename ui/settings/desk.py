"""The desk's keys and the project's glossary."""

import pandas as pd
import streamlit as st

from ui.desk.keymap import actions, choose, in_force, shown
from ui.identity import acting_person
from workbench import glossary, preferences
from workbench.runtime import Runtime

__all__ = ["show_glossary", "show_keys"]


def show_keys(runtime: Runtime) -> None:
    """Show every key of the desk and let a person give an action another one."""
    current = in_force(preferences.get(runtime).review.keys)
    labels = {action.name: action.label for action in current}
    defaults = {action.name: action.keys for action in actions()}
    with st.form("settings.keys", border=False):
        left, right = st.columns(2)
        name = left.selectbox(
            "What the key does",
            list(labels),
            format_func=labels.__getitem__,
            key="settings.keys.name",
        )
        typed = right.text_input(
            "Its keys from now on",
            placeholder="e.g. Alt+G, F2; empty for the usual ones",
            max_chars=80,
            key="settings.keys.typed",
        )
        if st.form_submit_button("Use these keys", key="settings.keys.save"):
            keys = choose(runtime, name, typed or "", acting_person(runtime))
            st.success(f"{labels[name]}: {', '.join(map(shown, keys))}")
            current = in_force(preferences.get(runtime).review.keys)
    with st.expander("All keys", key="settings.keys.all"):
        st.table(
            pd.DataFrame(
                {
                    "Keys": [", ".join(map(shown, action.keys)) for action in current],
                    "What they do": [action.label for action in current],
                    "": [
                        "changed" if action.keys != defaults[action.name] else ""
                        for action in current
                    ],
                }
            ),
            hide_index=True,
            border="horizontal",
        )


def show_glossary(runtime: Runtime) -> None:
    """Let a person write down the words that the desk offers."""
    with st.form("settings.glossary", border=False):
        typed = st.text_area(
            "Names and terms of this project, one per line",
            value="\n".join(glossary.terms(runtime)),
            key="settings.glossary.terms",
            help="On the review desk one key puts the closest one for the word at the caret.",
        )
        if st.form_submit_button("Use these words", key="settings.glossary.save"):
            terms = glossary.change(runtime, (typed or "").splitlines(), acting_person(runtime))
            st.success(f"{len(terms)} terms." if len(terms) != 1 else "1 term.")
