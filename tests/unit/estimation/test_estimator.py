import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qe_core.errors import EstimatorError
from qe_core.estimation.adaptation import Adaptation
from qe_core.estimation.boosting import Task, fit
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.scoring import reviewed_of, score_table
from qe_core.estimation.table import TrainingTable
from qe_core.estimation.training import train_on_table
from qe_core.types import Estimate, SpeechSpan, Transcript
from tests.builders import transcript as written
from tests.unit.estimation.clips import PLAN, made_up_features, made_up_transcript

SPEECH = (SpeechSpan(0.0, 4.0),)


def _ask(estimator: Estimator, confidence: float = 0.5, **options: object) -> Estimate:
    values: dict[str, object] = {
        "transcript": made_up_transcript([confidence] * 8),
        "speech": SPEECH,
        "duration_s": 5.0,
        **options,
    }
    return estimator.estimate(made_up_features(confidence), **values)  # type: ignore[arg-type]  # mixed keywords


def test_predicted_wer_is_expected_errors_per_expected_word(estimator: Estimator) -> None:
    estimate = _ask(estimator)
    assert estimate.predicted_wer == pytest.approx(
        estimate.expected_errors / estimate.expected_words, rel=1e-5
    )
    assert estimate.estimator == estimator.manifest.id


def test_segments_sum_to_the_expected_errors(estimator: Estimator) -> None:
    estimate = _ask(estimator, 0.3)
    assert len(estimate.segment_expected_errors) == 2
    assert sum(estimate.segment_expected_errors) == pytest.approx(estimate.expected_errors)


def test_doubtful_transcripts_are_expected_to_be_worse(estimator: Estimator) -> None:
    sure, unsure = _ask(estimator, 0.9), _ask(estimator, 0.15)
    assert unsure.predicted_wer > sure.predicted_wer + 0.3
    assert min(unsure.word_error_probabilities) > max(sure.word_error_probabilities)


def test_the_doubtful_word_is_pointed_at(estimator: Estimator) -> None:
    estimate = _ask(estimator, transcript=made_up_transcript([0.9, 0.9, 0.1, 0.9]))
    probabilities = estimate.word_error_probabilities
    assert len(probabilities) == 4
    assert probabilities.index(max(probabilities)) == 2


def test_an_estimator_from_before_there_were_doubts_goes_on_serving(
    table: TrainingTable, estimator: Estimator, tmp_path: Path
) -> None:
    unlabelled = replace(table, word_wrong=np.full_like(table.word_wrong, -1))
    clips_only = train_on_table(
        unlabelled, kind="transcript", engine="pocketsphinx", seed=1, plan=PLAN
    )
    wer = (table.num_errors / table.num_reference_words)[table.word_clip]
    # Its word model looked at 17 features and the clip's WER.
    task = Task(
        features=np.column_stack([table.word_features[:, :17], wer]).astype(np.float32),
        target=(table.word_wrong == 1).astype(np.float32),
        weight=np.ones(len(wer), np.float32),
        margin=None,
        objective="binary:logistic",
        is_taught=np.ones(len(wer), np.bool_),
    )
    words = fit(task, num_rounds=20, settings=PLAN.word_trees, seed=1)
    replace(clips_only, word_errors=words).save(tmp_path)

    older = Estimator.load(tmp_path)
    assert older.word_doubts is None
    assert older.input_names == older.manifest.feature_names
    estimate = _ask(older, transcript=made_up_transcript([0.9, 0.9, 0.1, 0.9]))
    assert int(np.argmax(estimate.word_error_probabilities)) == 2
    scores = score_table(older, table)
    assert scores.word_probabilities is not None
    assert len(scores.word_probabilities) == len(table.word_wrong)
    assert "word_doubts.ubj" not in older.manifest.files
    estimator.save(tmp_path / "now")
    assert "word_doubts.ubj" in Estimator.load(tmp_path / "now").manifest.files


def test_the_prediction_lies_in_its_interval(estimator: Estimator) -> None:
    for confidence in (0.1, 0.5, 0.9):
        estimate = _ask(estimator, confidence)
        assert 0 <= estimate.low <= estimate.predicted_wer <= estimate.high
        assert estimate.interval_level == 0.9


def test_the_level_of_the_interval_can_be_chosen(estimator: Estimator) -> None:
    narrow, wide = _ask(estimator, level=0.5), _ask(estimator, level=0.95)
    assert narrow.high - narrow.low < wide.high - wide.low
    assert wide.interval_level == 0.95


def test_reasons_are_sentences_that_push_up_and_do_not_repeat(estimator: Estimator) -> None:
    reasons = _ask(estimator, 0.1).reasons
    assert reasons
    assert {reason.code: reason.text for reason in reasons} == {
        "doubtful_words": "Most of the words are doubtful.",
        "confidence_mean": "The recogniser was unsure of its words.",
    }
    assert all(reason.contribution > 0 for reason in reasons)
    assert len({reason.text for reason in reasons}) == len(reasons)
    assert _ask(estimator, 0.1, num_reasons=0).reasons == ()


def test_a_saved_estimator_comes_back_bit_equal(estimator: Estimator, tmp_path: Path) -> None:
    estimator.save(tmp_path / "model")
    loaded = Estimator.load(tmp_path / "model")
    for confidence in (0.1, 0.4, 0.8):
        assert _ask(loaded, confidence) == _ask(estimator, confidence)
    assert loaded.manifest == replace(estimator.manifest, files=loaded.manifest.files)
    loaded.save(tmp_path / "again")
    for name in loaded.manifest.files:
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "model" / name).read_bytes()


def test_an_empty_transcript_of_speech_misses_every_word(estimator: Estimator) -> None:
    estimate = _ask(estimator, transcript=written(""))
    assert estimate.predicted_wer == 1.0
    assert estimate.expected_errors == estimate.expected_words > 0
    assert estimate.segment_expected_errors == ()


def test_an_empty_transcript_of_silence_misses_nothing(estimator: Estimator) -> None:
    estimate = _ask(estimator, transcript=written(""), speech=())
    assert estimate.expected_errors == 0
    assert (estimate.low, estimate.predicted_wer, estimate.high) == (0, 0, 1)


def test_a_missing_feature_is_refused(estimator: Estimator) -> None:
    features = made_up_features()
    del features["snr_db"]
    with pytest.raises(EstimatorError, match="'snr_db' is missing"):
        estimator.estimate(features, transcript=written(), speech=SPEECH, duration_s=5.0)


def test_an_unknown_feature_is_refused(estimator: Estimator) -> None:
    features = {**made_up_features(), "horoscope": 1.0}
    with pytest.raises(EstimatorError, match="'horoscope' is unknown"):
        estimator.estimate(features, transcript=written(), speech=SPEECH, duration_s=5.0)


def test_another_schema_is_refused(estimator: Estimator) -> None:
    with pytest.raises(EstimatorError, match="schema acoustic@9"):
        _ask(estimator, schema="acoustic@9:1")


def test_more_groups_of_features_than_it_knows_do_no_harm(estimator: Estimator) -> None:
    schema = f"{estimator.manifest.schema};horoscope@1:1"
    assert _ask(estimator, schema=schema) == _ask(estimator)


@pytest.mark.parametrize(
    ("schema", "is_current"),
    [
        ("acoustic@4:26;decoder@1:26;coverage@1:14", True),
        ("acoustic@4:26", True),
        ("acoustic@3:26;decoder@1:26;coverage@1:14", False),
    ],
)
def test_an_estimator_of_an_older_version_serves_while_its_features_are_made(
    estimator: Estimator, schema: str, is_current: bool
) -> None:
    assert replace(estimator.manifest, schema=schema).is_current == is_current


@pytest.mark.parametrize("other", [written(engine="whisper", model="base"), written(model="en-in")])
def test_a_transcript_of_another_engine_is_refused(estimator: Estimator, other: Transcript) -> None:
    with pytest.raises(EstimatorError, match="knows pocketsphinx:en-us only"):
        _ask(estimator, transcript=other)


def test_no_transcript_is_refused(estimator: Estimator) -> None:
    with pytest.raises(EstimatorError, match="was given none"):
        _ask(estimator, transcript=None)


def test_a_folder_without_an_estimator_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EstimatorError, match="no estimator here"):
        Estimator.load(tmp_path)


@pytest.fixture
def folder(estimator: Estimator, tmp_path: Path) -> Path:
    estimator.save(tmp_path)
    return tmp_path


def test_a_missing_file_is_refused(folder: Path) -> None:
    (folder / "rate.ubj").unlink()
    with pytest.raises(EstimatorError, match=r"rate.ubj is missing"):
        Estimator.load(folder)


def test_a_changed_file_is_refused(folder: Path) -> None:
    (folder / "rate.ubj").write_bytes(b"something else")
    with pytest.raises(EstimatorError, match="not the file that its manifest names"):
        Estimator.load(folder)


def test_a_damaged_manifest_is_refused(folder: Path) -> None:
    (folder / "manifest.json").write_text('{"id": 3}')
    with pytest.raises(EstimatorError, match=r"manifest.json is damaged"):
        Estimator.load(folder)


def _edit(folder: Path, **changes: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_another_format_is_refused(folder: Path) -> None:
    _edit(folder, format=99)
    with pytest.raises(EstimatorError, match="model format 99"):
        Estimator.load(folder)


def test_a_manifest_that_names_no_model_is_refused(folder: Path) -> None:
    _edit(folder, files={})
    with pytest.raises(EstimatorError, match=r"words.ubj is missing"):
        Estimator.load(folder)


def test_an_estimate_takes_milliseconds(estimator: Estimator) -> None:
    _ask(estimator)
    start = time.perf_counter()
    for _ in range(5):
        _ask(estimator)
    # 10 ms is the budget; the rest is for busy test machines.
    assert (time.perf_counter() - start) / 5 < 0.05


def test_an_adapted_estimator_says_the_same_for_one_clip_and_for_a_table(
    estimator: Estimator, table: TrainingTable
) -> None:
    adaptation = Adaptation(-0.8, 1.2, width=1.4, num_reviews=50)
    adapted = replace(estimator, manifest=replace(estimator.manifest, adaptation=adaptation))

    bare, scores = score_table(estimator, table), score_table(adapted, table)

    assert scores.wer == pytest.approx(adaptation.rate(bare.wer), abs=1e-6)
    assert (np.diff(scores.wer[np.argsort(bare.wer)]) >= 0).all()
    assert scores.low is not None
    assert (scores.low <= scores.wer).all()
    assert scores.word_probabilities is not None
    assert bare.word_probabilities is not None
    assert scores.word_probabilities.mean() < bare.word_probabilities.mean()
    assert reviewed_of(adapted, table).predicted_wer == pytest.approx(bare.wer)


def test_an_adaptation_travels_with_the_estimator(estimator: Estimator, tmp_path: Path) -> None:
    adaptation = Adaptation(-0.8, 1.2, width=1.4, num_reviews=50)
    adapted = replace(estimator, manifest=replace(estimator.manifest, adaptation=adaptation))
    adapted.save(tmp_path / "adapted")

    loaded = Estimator.load(tmp_path / "adapted")

    assert loaded.manifest.adaptation == adaptation
    assert _ask(loaded) == adaptation.apply(_ask(estimator))
