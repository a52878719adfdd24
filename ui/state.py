"""Names of everything that is kept in ``st.session_state``: ids and choices, never work."""

__all__ = [
    "CLIP",
    "LAST_RECORDING",
    "NOTICES",
    "OPEN_CLIP",
    "PERSON",
    "RECORDER",
    "REVIEWER",
    "REVIEW_DESK",
    "REVIEW_FILTER",
    "UPLOADER_ROUND",
]

CLIP = "clip"
"""Query parameter that names a clip, on the library and review pages."""

LAST_RECORDING = "intake.last_recording"
"""How the previous live recording of this browser tab ended."""

NOTICES = "intake.notices"
"""What the last submission said: duplicates and refusals."""

OPEN_CLIP = "intake.open_clip"
"""Id of the clip whose details are open on the intake page."""

PERSON = "people.person"
"""Name of the person at this browser as it is stored, known since the beginning of the run."""

RECORDER = "intake.recorder"
"""The running live recording of this browser tab."""

REVIEWER = "reviewer"
"""What the person at this browser typed as their name, where nobody logs in."""

REVIEW_DESK = "review.desk"
"""Which clip this browser tab reviews, under which claim."""

REVIEW_FILTER = "review.filter"
"""Beginning of the keys of the queue's filter."""

UPLOADER_ROUND = "intake.uploader_round"
"""Counts submissions; a new number empties the file picker."""
