"""Every clip can be found and opened."""

import numpy as np
import pytest

from qe_core.errors import NotFoundError
from qe_core.wer import ErrorCounts
from storage.database import Session
from storage.repositories import jobs, reviews
from tests.builders import add_assessment, add_clip, add_hypothesis
from workbench import intake, library, preferences
from workbench.runtime import Runtime

A, B, C, D = ("a" * 64, "b" * 64, "c" * 64, "d" * 64)


@pytest.fixture
def filled(runtime: Runtime) -> Runtime:
    """Four clips: corrected, flagged, good, and one that is still waiting."""

    def fill(session: Session) -> None:
        for clip_id, name, duration_s, wer, text in (
            (A, "Anna.wav", 5.0, 0.5, "good morning anna"),
            (B, "100%_bob.wav", 9.0, 0.9, "good evening bob"),
            (C, "cecil.wav", 2.0, 0.05, "good night"),
        ):
            add_clip(session, clip_id, file_name=name, duration_s=duration_s, source="upload")
            hypothesis = add_hypothesis(session, clip_id, "an older transcript")
            add_assessment(session, hypothesis, 0.99)
            add_assessment(session, add_hypothesis(session, clip_id, text), wer)
            jobs.add(session, "assess", clip_id=clip_id)
        add_clip(session, D, file_name="dora.wav", source="microphone", duration_s=3.0)
        jobs.add(session, "assess", clip_id=D)
        for verdict, counts in (("reject", None), ("correct", ErrorCounts(2, 1, 0, 0))):
            reviews.add(
                session,
                clip_id=A,
                hypothesis_id="h",
                assessment_id=None,
                reviewer="ann",
                verdict=verdict,  # type: ignore[arg-type]  # one of the three
                text="Good morning, Hannah.",
                normaliser="basic-1",
                counts=counts,
                predicted_wer=0.5,
                lead_time_s=1.0,
                listened_share=1.0,
                policy="audit",
            )

    runtime.database.write(fill)
    return runtime


def _names(page: library.ClipPage) -> list[str]:
    return [row.file_name for row in page.rows]


def test_an_empty_library_has_no_rows(runtime: Runtime) -> None:
    assert library.search(runtime) == library.ClipPage([], 0)


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("newest", ["dora.wav", "cecil.wav", "100%_bob.wav", "Anna.wav"]),
        ("oldest", ["Anna.wav", "100%_bob.wav", "cecil.wav", "dora.wav"]),
        ("worst", ["100%_bob.wav", "Anna.wav", "cecil.wav", "dora.wav"]),
        ("longest", ["100%_bob.wav", "Anna.wav", "dora.wav", "cecil.wav"]),
        ("name", ["100%_bob.wav", "Anna.wav", "cecil.wav", "dora.wav"]),
    ],
)
def test_clips_are_sorted(filled: Runtime, sort: library.Sort, expected: list[str]) -> None:
    assert _names(library.search(filled, sort=sort)) == expected


def test_an_unknown_order_is_refused(filled: Runtime) -> None:
    with pytest.raises(NotFoundError, match="sort = 'best'"):
        library.search(filled, sort="best")  # type: ignore[arg-type]  # the point


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ANNA", ["Anna.wav"]),
        ("evening", ["100%_bob.wav"]),
        ("hannah", ["Anna.wav"]),
        ("good", ["cecil.wav", "100%_bob.wav", "Anna.wav"]),
        ("older", []),
        ("%", ["100%_bob.wav"]),
        ("_", ["100%_bob.wav"]),
        ("'; DROP TABLE clips; --", []),
        ("  ", ["dora.wav", "cecil.wav", "100%_bob.wav", "Anna.wav"]),
    ],
)
def test_text_is_searched_in_name_current_transcript_and_correction(
    filled: Runtime, text: str, expected: list[str]
) -> None:
    assert _names(library.search(filled, text=text)) == expected


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"flagged": True}, ["100%_bob.wav", "Anna.wav"]),
        ({"flagged": False}, ["cecil.wav"]),
        ({"reviewed": True}, ["Anna.wav"]),
        ({"reviewed": False}, ["dora.wav", "cecil.wav", "100%_bob.wav"]),
        ({"source": "microphone"}, ["dora.wav"]),
        ({"flagged": True, "reviewed": False, "text": "good"}, ["100%_bob.wav"]),
    ],
)
def test_filters_can_be_combined(
    filled: Runtime, filters: dict[str, bool | str], expected: list[str]
) -> None:
    page = library.search(filled, **filters)  # type: ignore[arg-type]  # filters by name
    assert _names(page) == expected
    assert page.total == len(expected)


def test_a_changed_threshold_changes_the_flags_at_once(filled: Runtime) -> None:
    preferences.set(filled, "review.threshold", 0.6)
    assert _names(library.search(filled, flagged=True)) == ["100%_bob.wav"]
    assert [row.flagged for row in library.search(filled).rows] == [None, False, True, False]


def test_pages_follow_each_other(filled: Runtime) -> None:
    pages = [library.search(filled, limit=2, offset=offset) for offset in (0, 2, 4)]
    assert [_names(page) for page in pages] == [
        ["dora.wav", "cecil.wav"],
        ["100%_bob.wav", "Anna.wav"],
        [],
    ]
    assert {page.total for page in pages} == {4}


def test_a_row_shows_the_latest_of_everything(filled: Runtime) -> None:
    row = library.search(filled, text="anna").rows[0]
    assert (row.predicted_wer, row.low, row.high) == (0.5, 0.4, 0.6)
    assert (row.text, row.engine) == ("good morning anna", "pocketsphinx")
    assert (row.verdict, row.reviewed) == ("correct", True)
    assert row.actual_wer == pytest.approx(1 / 3)
    waiting = library.search(filled, text="dora").rows[0]
    assert (waiting.state, waiting.flagged, waiting.predicted_wer) == ("queued", None, None)


def test_details_of_a_clip_that_is_waiting(runtime: Runtime, speech_wav: bytes) -> None:
    submission = intake.submit(runtime, speech_wav, file_name="a.wav")
    details = library.details(runtime, submission.clip_id)
    assert details.clip.file_name == "a.wav"
    assert details.media_path.read_bytes() == speech_wav
    assert details.job is not None
    assert details.job.state == "queued"
    assert (details.transcript, details.assessment, details.reviews) == (None, None, [])


def test_details_of_an_assessed_clip(runtime: Runtime, speech_wav: bytes) -> None:
    clip_id = intake.submit(runtime, speech_wav, file_name="a.wav").clip_id
    with runtime.database.session() as session:
        add_assessment(session, add_hypothesis(session, clip_id), 0.5, features={"snr_db": 7.0})
    details = library.details(runtime, clip_id)
    assert details.transcript is not None
    assert details.transcript.text == "one two three"
    assert details.assessment is not None
    assert details.assessment.flagged
    assert details.assessment.features == {"snr_db": 7.0}
    assert details.assessment.estimate.predicted_wer == 0.5


def test_a_lost_waveform_is_made_again(runtime: Runtime, speech_wav: bytes) -> None:
    clip_id = intake.submit(runtime, speech_wav, file_name="a.wav").clip_id
    before = library.details(runtime, clip_id).peaks
    path = runtime.media.path(clip_id)
    path.with_name(f"{path.name}.peaks.npy").unlink()
    np.testing.assert_array_equal(library.details(runtime, clip_id).peaks, before)
    assert runtime.media.peaks(clip_id) is not None


def test_a_clip_that_does_not_exist_is_told(runtime: Runtime) -> None:
    with pytest.raises(NotFoundError, match="There is no clip"):
        library.details(runtime, A)
