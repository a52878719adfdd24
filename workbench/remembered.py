"""Answers about the whole stream, kept until a clip is assessed or reviewed."""

import threading
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, TypeVar, cast
from weakref import WeakKeyDictionary

from storage.repositories.statistics import columns_of

if TYPE_CHECKING:
    from workbench.runtime import Runtime

__all__ = ["remembered"]

_Answer = TypeVar("_Answer")
_Stamp = tuple[str, ...]
_MAX_ANSWERS = 32


def remembered(runtime: "Runtime", question: Hashable, answer: Callable[[], _Answer]) -> _Answer:
    """The answer to a question about the stream; worked out anew when something has come in.

    Args:
        runtime: the process's runtime
        question: what is asked, with everything that the answer depends on beside the clips, their
            assessments and their reviews
        answer: works it out; what it returns is shared and must not be changed
    """
    stamp = _stamp(runtime)
    with _LOCK:
        known_at, known = _ANSWERS.get(runtime, (stamp, {}))
        if known_at == stamp and question in known:
            return cast("_Answer", known[question])
    found = answer()
    with _LOCK:
        known_at, known = _ANSWERS.get(runtime, (stamp, {}))
        if known_at != stamp or len(known) >= _MAX_ANSWERS:
            known = {}  # older answers are never asked for again
        known[question] = found
        _ANSWERS[runtime] = (stamp, known)
    return found


_ANSWERS: "WeakKeyDictionary[Runtime, tuple[_Stamp, dict[Hashable, Any]]]" = WeakKeyDictionary()
_LOCK = threading.Lock()


def _stamp(runtime: "Runtime") -> _Stamp:
    """Changes whenever a clip is assessed or reviewed."""
    with runtime.database.session() as session:
        found = columns_of(
            session,
            "SELECT (SELECT max(assessment_id) FROM assessed_clips) AS assessment, "
            "(SELECT count(*) FROM assessed_clips) AS num_assessed, "
            "(SELECT max(id) FROM reviews) AS review, "
            "(SELECT count(*) FROM reviews) AS num_reviews",
        )
    return tuple(str(values[0]) for values in found.values())
