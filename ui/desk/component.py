"""The desk in the browser: one component that owns sound, waveform, text, keys and drafts."""

import base64
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import streamlit as st

from qe_core.types import Estimate, FloatArray, Segment, Transcript
from ui.desk.events import DeskEvents, read_events
from ui.desk.keymap import keys_data
from ui.desk.rows import rows_of
from ui.desk.session import DeskView
from ui.desk_script import loader
from ui.formats import clock, interval, percent
from workbench import glossary, second_opinion
from workbench.review import REJECT_REASONS, QueueItem, ReviewTask
from workbench.runtime import Runtime

__all__ = ["DESK", "desk_data", "received_events", "review_desk"]

DESK = "desk"
"""Key of the component: one desk stays mounted and changes clips, so that nothing flickers."""

_NEEDS_NOTE = "other"
_MAX_GAIN_DB = 40


_DESK = st.components.v2.component(
    "werkbench_desk", html='<div class="wb-mount"></div>', js=loader()
)


def received_events() -> DeskEvents:
    """What the desk sent since the last run; read it before the desk is drawn again."""
    values = st.session_state.get(DESK)
    return read_events(values) if isinstance(values, Mapping) else DeskEvents()


def review_desk(runtime: Runtime, view: DeskView, *, renew_s: float) -> None:
    """Draw the desk.

    Args:
        runtime: the process's runtime
        view: what to show
        renew_s: seconds between renewals of the claim while somebody works
    """
    _DESK(
        key=DESK,
        data=desk_data(view, renew_s=renew_s)
        | {
            "keys": keys_data(runtime),
            "glossary": glossary.terms(runtime),
            "engines": second_opinion.engines(),
        }
        | _opinion_data(runtime, view),
        on_draft_change=_heard,
        on_verdict_change=_heard,
        on_command_change=_heard,
    )


def desk_data(view: DeskView, *, renew_s: float) -> dict[str, Any]:
    """The view as JSON values, read by ``Desk.receive`` in ``desk.js``.

    Args:
        view: what to show
        renew_s: seconds between renewals of the claim while somebody works

    Returns:
        small when the browser has the clip already: ``clip`` and ``draft`` are ``None`` then
    """
    return {
        "reviewer": view.reviewer,
        "clip_id": view.clip_id,
        "clip": None if view.task is None else _clip_data(view.task),
        "draft": None if view.task is None else _draft_data(view.task),
        "replies": [asdict(reply) for reply in view.replies],
        "problem": None if view.problem is None else asdict(view.problem),
        "result": None if view.result is None else asdict(view.result),
        "queue_length": view.queue_length,
        "queue": None if view.queue is None else [_queue_data(item, view) for item in view.queue],
        "autoplay": view.is_autoplay,
        "renew_s": max(1, round(renew_s)),
        "reject_reasons": [
            {"code": code, "label": label, "needs_note": code == _NEEDS_NOTE}
            for code, label in REJECT_REASONS.items()
        ],
    }


def _heard() -> None:
    """Naming the events makes their values readable; the page reads them when it runs."""


def _clip_data(task: ReviewTask) -> dict[str, Any]:
    estimate = task.estimate
    return {
        "id": task.clip.id,
        "file_name": task.clip.file_name,
        "duration_s": task.clip.duration_s,
        "audio_url": f"/api/v1/clips/{task.clip.id}/audio",
        "peaks_url": f"/api/v1/clips/{task.clip.id}/peaks",
        "peaks": _peaks_data(task.peaks),
        "language": task.transcript.language,
        "engine": f"{task.transcript.engine} {task.transcript.model}",
        "estimate": f"Predicted WER {percent(estimate.predicted_wer)} "
        f"({interval(estimate.low, estimate.high)})",
        "reasons": [*_notes(task), *(r.text for r in estimate.reasons if task.flagged)],
        "segments": _segments_data(task.transcript, estimate, task.clip.duration_s),
        "rows": rows_of(task.transcript),
    }


def _notes(task: ReviewTask) -> list[str]:
    """What the reviewer has to know besides the estimate."""
    notes = ["Second review: somebody else's text is not shown."] if task.is_second else []
    return [*notes, f"Handed over: “{task.note}”"] if task.note else notes


def _opinion_data(runtime: Runtime, view: DeskView) -> dict[str, Any]:
    """What another engine wrote for the clip, if that is stored."""
    if view.task is None:
        return {}
    own = view.task.transcript.engine
    other = second_opinion.find(runtime, view.task.clip.id, own)
    return {
        "opinion": None
        if other is None
        else {
            "engine": other.engine if other.engine != own else f"{other.engine}:{other.model}",
            "words": [
                [word.word, round(word.start_s, 3), round(word.end_s, 3)] for word in other.words
            ],
        }
    }


def _draft_data(task: ReviewTask) -> dict[str, Any] | None:
    if task.draft is None:
        return None
    return {
        "rows": task.draft.text.split("\n")
        if task.draft.layout
        else rows_of(task.transcript, task.draft.text),
        "layout": task.draft.layout,
        "position_s": task.draft.position_s,
        "cursor": task.draft.cursor,
        "saved_at": task.draft.updated_at.isoformat(),
    }


def _queue_data(item: QueueItem, view: DeskView) -> dict[str, Any]:
    is_taken = item.claimed_by not in (None, view.reviewer)
    return {
        "clip_id": item.clip_id,
        "file_name": item.file_name,
        "facts": f"{percent(item.predicted_wer)} · {clock(item.duration_s)}",
        "flagged": item.flagged,
        "holder": item.claimed_by if is_taken else None,
    }


def _segments_data(
    transcript: Transcript, estimate: Estimate, duration_s: float
) -> list[dict[str, Any]]:
    # A clip without words still needs a row to write into.
    segments = transcript.segments or (Segment(0.0, duration_s, ""),)
    probabilities = list(estimate.word_error_probabilities)
    is_known = len(probabilities) == len(transcript.words)
    expected = estimate.segment_expected_errors
    rows = []
    first = 0
    for index, segment in enumerate(segments):
        last = first + len(segment.words)
        errors = expected[index] if index < len(expected) else 0.0
        rows.append(
            {
                "start_s": segment.start_s,
                "end_s": segment.end_s,
                "text": rows_of(Transcript((segment,), "", "", "", ""))[0],
                "doubt": round(min(1.0, errors / max(1, len(segment.words))), 3),
                "words": [
                    [
                        word.word,
                        round(word.start_s, 3),
                        round(word.end_s, 3),
                        round(probabilities[first + offset], 3) if is_known else None,
                    ]
                    for offset, word in enumerate(segment.words)
                ],
            }
        )
        first = last
    return rows


def _peaks_data(peaks: FloatArray | None) -> str:
    """Minimum and maximum of every bin as signed bytes: 4 KB for 2,000 bins.

    The loudest bin fills the height, up to a gain of 40 dB: the desk shows where somebody speaks,
    and a quiet clip must not look empty.
    """
    if peaks is None or len(peaks) == 0:
        return ""
    finite = np.nan_to_num(peaks)
    loudest = max(float(np.abs(finite).max()), 10 ** (-_MAX_GAIN_DB / 20))
    scaled = np.clip(finite / loudest * 127, -127, 127).astype(np.int8)
    return base64.b64encode(scaled.tobytes()).decode("ascii")
