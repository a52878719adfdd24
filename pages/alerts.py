"""Alerts: what is wrong now, who knows of it, and what was wrong before."""

import streamlit as st

from ui.alerts_list import show_card, show_past, show_pending
from ui.formats import when
from ui.messages import shown_errors
from ui.resources import open_runtime
from workbench import alerts
from workbench.alerts import Overview
from workbench.readings import SIGNALS
from workbench.runtime import Runtime

_REFRESH_S = 20


def _show_page() -> None:
    st.title("Alerts")
    with shown_errors():
        runtime = open_runtime()
        st.fragment(_show_alerts, run_every=_REFRESH_S)(runtime)


def _show_alerts(runtime: Runtime) -> None:
    with shown_errors():
        found = alerts.overview(runtime)
        _show_state(found)
        for alert in found.firing:
            show_card(runtime, alert)
        show_pending(found.pending)
        _show_unknown(found)
        st.subheader("History")
        if found.past:
            show_past(found.past)
        else:
            st.caption("No alert has ended yet. What fires and is resolved is kept here.")


def _show_state(found: Overview) -> None:
    if not found.num_rules:
        st.info(
            "No rule is checked. Switch alerts.is_enabled on in the configuration.",
            icon=":material/notifications_off:",
        )
        return
    if found.checked_at is None:
        st.info("The rules have not been checked yet; this takes up to a minute.")
        return
    if not found.firing and not found.unknown:
        st.success(f"No alert: none of {found.num_rules} rules fires.", icon=":material/check:")
    elif not found.firing:
        st.info(
            f"No alert so far. {found.num_blind} of {found.num_rules} rules have nothing to look "
            "at yet: they need more clips or more audits.",
            icon=":material/hourglass_empty:",
        )
    st.caption(
        f"{found.num_rules} rules, checked {when(found.checked_at)}. They stand in "
        "config/alerts.yaml, or in the file that alerts.rules_file names."
    )


def _show_unknown(found: Overview) -> None:
    if found.unknown and found.checked_at is not None:
        names = [SIGNALS[name].meaning for name in found.unknown]
        with st.expander(f"Cannot be told yet: {len(names)} signals", icon=":material/help:"):
            st.caption(
                "There are too few audits, too few clips, or no job ended of late. The rules that "
                "watch these neither fire nor end until there are more; audits come with reviews."
            )
            st.markdown("\n".join(f"- {name}" for name in names))


_show_page()
