"""The line after a save."""

from datetime import datetime

from qe_core.wer import align, count_errors
from storage.records import Review
from ui.desk.results import result_line
from workbench.review import ReviewResult


def result(reference: str, hypothesis: str, **of_review: object) -> ReviewResult:
    counts = count_errors(reference, hypothesis)
    values: dict[str, object] = {
        "id": "r",
        "clip_id": "c",
        "hypothesis_id": "h",
        "assessment_id": "a",
        "reviewer": "ann",
        "verdict": "correct",
        "text": reference,
        "reject_reason": None,
        "normaliser": "basic-1",
        "hits": counts.hits,
        "substitutions": counts.substitutions,
        "deletions": counts.deletions,
        "insertions": counts.insertions,
        "predicted_wer": 0.31,
        "lead_time_s": 1.0,
        "listened_share": 1.0,
        "replays": 0,
        "propensity": None,
        "policy": "opened",
        "created_at": datetime(2026, 1, 1),  # noqa: DTZ001 - the database keeps naive UTC
    }
    review = Review(**(values | of_review))  # type: ignore[arg-type] # a table of test values
    aligned = () if review.verdict == "reject" else align(reference, hypothesis)
    return ReviewResult(review, 0.31, 0.18, 0.47, counts.wer, counts, aligned)


def test_prediction_truth_and_wrong_words_are_named() -> None:
    line = result_line(result("one two three four", "one too three four five"))
    assert line == (
        "Predicted 31 % (18–47 %), actual 50 %: 2 wrong words: too → two, five too many"
    )


def test_a_perfect_transcript_says_so() -> None:
    assert result_line(result("one", "one")).endswith("actual 0 %: every word was right.")


def test_many_wrong_words_are_cut_short() -> None:
    line = result_line(result("a b c d e f g h", "i j k l m n o p"))
    assert line.endswith("n → f and 2 more")


def test_a_clip_in_which_nothing_is_said_has_no_rate() -> None:
    assert "has no WER" in result_line(result("", "ghost"))


def test_a_reject_names_its_reason_and_note() -> None:
    rejected = result("", "x", verdict="reject", reject_reason="other: people laugh")
    assert result_line(rejected) == "Rejected: Other (people laugh)."
