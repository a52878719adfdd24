"""The cards of the page on which leads decide."""

from pathlib import Path

import streamlit as st

from qe_core.errors import WerkbenchError
from qe_core.wer import AlignedWord, Operation
from ui.diff import show_diff, show_legend
from ui.formats import clock, counted, percent, plain, when
from ui.messages import show_error
from ui.player import show_player
from ui.state import CLIP
from workbench import adjudication, people, review
from workbench.adjudication import Dispute, Escalation
from workbench.review import REJECT_REASONS, Holding
from workbench.runtime import Runtime

__all__ = ["offer_take_over", "show_dispute", "show_escalation", "show_holding", "show_take_over"]


def show_dispute(runtime: Runtime, dispute: Dispute, actor: str) -> None:
    """Show two reviews side by side, the sound, and the text to decide on.

    Args:
        runtime: the runtime
        dispute: two reviews that differ
        actor: the lead
    """
    clip_id = dispute.clip.id
    key = f"adjudicate.{clip_id}"
    st.subheader(plain(dispute.clip.file_name), anchor=False)
    show_player(clip_id, runtime.media.place(clip_id))
    sides = st.columns(2)
    for side, name, item in zip(sides, ("A", "B"), (dispute.first, dispute.second), strict=True):
        with side.container(border=True, height="stretch"):
            st.caption(f"**{name}**, {plain(item.reviewer)}, {percent(item.listened_share)} heard")
            if item.counts is None:
                st.text(f"Rejected: {(item.reject_reason or '').replace('_', ' ')}")
            else:
                st.text(item.text or "(nothing is said)")
            if item.counts is not None:
                st.button(
                    f"Take {name}",
                    key=f"{key}.take.{name}",
                    on_click=_fill_in,
                    args=(key, item.text),
                )
    if dispute.differences:
        st.caption(
            f"{counted(dispute.num_differences, 'word')} written differently. "
            "Struck out: A; beside it: B."
        )
        with st.container(border=True):
            show_diff(_from_a_to_b(dispute))
        show_legend("A", "B", missing="only in B", too_many="only in A")
    st.caption(f"The engine wrote: {plain(dispute.hypothesis) or '(nothing)'}")
    _show_decision(runtime, dispute, actor, key)


def show_escalation(runtime: Runtime, item: Escalation, actor: str, *, desk: Path) -> None:
    """Show why a clip was handed over, and the two ways on."""
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(width="stretch"):
            st.markdown(f"**{plain(item.file_name)}** :gray[{clock(item.duration_s)}]")
            note = f": “{plain(item.note)}”" if item.note else ", without a note"
            st.caption(f"{plain(item.reviewer)}, {when(item.created_at)}{note}")
        if st.button("Open at the desk", key=f"adjudicate.open.{item.clip_id}", type="primary"):
            st.switch_page(desk, query_params={CLIP: item.clip_id})
        st.button(
            "Give back",
            key=f"adjudicate.back.{item.clip_id}",
            help="Puts the clip into the queue of the annotators again.",
            on_click=adjudication.give_back,
            args=(runtime, item.clip_id, actor),
        )


def show_holding(runtime: Runtime, item: Holding, actor: str, *, desk: Path) -> None:
    """Show who holds a clip since when, and let the lead take it over with a note."""
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(width="stretch"):
            st.markdown(f"**{plain(item.file_name)}** :gray[{plain(item.reviewer)}]")
            st.caption(
                f"Since {when(item.claimed_at)}; comes back {when(item.expires_at)} unless renewed."
            )
        if item.reviewer == actor:
            st.badge("Yours", color="gray")
            return
        with st.popover("Take over", key=f"adjudicate.over.{item.clip_id}"):
            show_take_over(runtime, item.clip_id, actor, desk=desk)


def show_take_over(runtime: Runtime, clip_id: str, actor: str, *, desk: Path) -> None:
    """Ask for the note that whoever loses the clip will read, and take the clip over."""
    with st.form(f"adjudicate.over.form.{clip_id}", border=False):
        note = st.text_input(
            "Note to whoever holds it", key=f"adjudicate.over.note.{clip_id}", max_chars=200
        )
        if st.form_submit_button("Take the clip over", key=f"adjudicate.over.save.{clip_id}"):
            try:
                review.take_over(runtime, clip_id, actor, note)
            except WerkbenchError as error:
                show_error(error.message, error.suggestion)
            else:
                st.switch_page(desk, query_params={CLIP: clip_id})


def offer_take_over(runtime: Runtime, clip_id: str, actor: str, *, desk: Path) -> None:
    """Offer a lead the clip that somebody else holds; everybody else sees nothing."""
    if not people.may(runtime, actor, "lead"):
        return
    for item in review.holdings(runtime, actor):
        if item.clip_id == clip_id and item.reviewer != actor:
            st.caption(f"{plain(item.reviewer)} holds it since {when(item.claimed_at)}.")
            show_take_over(runtime, clip_id, actor, desk=desk)


def _show_decision(runtime: Runtime, dispute: Dispute, actor: str, key: str) -> None:
    st.session_state.setdefault(f"{key}.text", dispute.first.text or dispute.second.text)
    text = st.text_area("Final text", key=f"{key}.text")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if st.button("Save as the reference", key=f"{key}.save", type="primary"):
            _settle(runtime, dispute, actor, text, None)
        reason = st.selectbox(
            "Or the clip is unusable",
            list(REJECT_REASONS),
            index=None,
            format_func=REJECT_REASONS.__getitem__,
            key=f"{key}.reason",
            placeholder="Choose a reason",
            width=240,
        )
        if st.button("Reject the clip", key=f"{key}.reject", disabled=reason is None):
            _settle(runtime, dispute, actor, "", reason)


def _settle(runtime: Runtime, dispute: Dispute, actor: str, text: str, reason: str | None) -> None:
    note = "two reviewers differed" if reason == "other" else ""
    try:
        adjudication.settle(
            runtime, dispute.clip.id, actor, text, reject_reason=reason, reject_note=note
        )
    except WerkbenchError as error:
        show_error(error.message, error.suggestion)
    else:
        st.rerun()


def _fill_in(key: str, text: str) -> None:
    st.session_state[f"{key}.text"] = text


def _from_a_to_b(dispute: Dispute) -> tuple[AlignedWord, ...]:
    """The alignment has the first text as its reference; here it is what is struck out."""
    turned: dict[Operation, Operation] = {"deletion": "insertion", "insertion": "deletion"}
    return tuple(
        AlignedWord(
            turned.get(word.operation, word.operation),
            word.hypothesis,
            word.reference,
            word.hypothesis_index,
        )
        for word in dispute.differences
    )
