from dataclasses import replace

import numpy as np
import pytest

from qe_core.errors import EstimatorError, TrainingError
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.evaluation import evaluate
from qe_core.estimation.scoring import baselines_of, counts_of, offset_of, score_table, truth_of
from qe_core.estimation.table import TrainingTable
from qe_core.estimation.training import Trained, extractors_for, train, train_on_table
from qe_core.features.base import schema_of
from qe_core.types import SpeechSpan
from tests.unit.estimation.clips import (
    PLAN,
    made_up_examples,
    made_up_features,
    made_up_transcript,
)


@pytest.fixture(scope="module")
def audio_table(table: TrainingTable) -> TrainingTable:
    groups = extractors_for("audio")
    return table.with_features(
        [info.name for group in groups for info in group.features], schema_of(groups)
    )


@pytest.fixture(scope="module")
def audio_estimator(audio_table: TrainingTable) -> Estimator:
    plan = replace(PLAN, model="any", min_spearman=-1.0)
    return train_on_table(audio_table, kind="audio", engine="any", seed=1, plan=plan)


def test_the_same_data_and_seed_give_the_same_model(
    table: TrainingTable, estimator: Estimator
) -> None:
    again = train_on_table(table, kind="transcript", engine="pocketsphinx", seed=1, plan=PLAN)
    first, second = (
        {name: bytes(booster.save_raw("ubj")) for name, booster in one.counts.boosters.items()}
        for one in (estimator, again)
    )
    assert first == second
    assert replace(again.manifest, created_at="") == replace(estimator.manifest, created_at="")


def test_cross_fitting_says_of_every_clip_what_trees_say_that_never_saw_it(
    table: TrainingTable, trained: Trained
) -> None:
    taught = table.select(~table.is_held_out)
    truth = truth_of(taught)

    unseen = evaluate(truth, trained.unseen)

    assert trained.table.fingerprint == taught.fingerprint
    assert unseen.to_dict() == trained.estimator.manifest.metrics["cross_validated"]
    learnt_by_heart = evaluate(truth, score_table(trained.estimator, taught, level=0.9))
    assert (learnt_by_heart.mae or 1) < 0.9 * (unseen.mae or 0)


def test_a_relative_lends_its_order_and_not_its_level(
    table: TrainingTable, estimator: Estimator
) -> None:
    worse = replace(table, substitutions=table.substitutions + table.hits, hits=0 * table.hits)
    both = table + worse.as_relatives(weight=1.0)
    with_relatives = train_on_table(
        both, kind="transcript", engine="pocketsphinx", seed=1, plan=PLAN
    )
    alone, taught = estimator.manifest, with_relatives.manifest
    assert (taught.num_clips, taught.lineage["num_relatives"]) == (alone.num_clips, alone.num_clips)
    assert taught.usual_ranges == alone.usual_ranges
    assert taught.data_fingerprint == both.select(~both.is_held_out).fingerprint

    unseen = table.select(table.is_held_out)
    metrics = evaluate(truth_of(unseen), score_table(with_relatives, unseen))
    assert metrics.predicted_pooled_wer is not None
    assert metrics.pooled_wer is not None
    # Every word of the relative is wrong; that must not spill over.
    assert abs(metrics.predicted_pooled_wer - metrics.pooled_wer) < 0.1
    first = unseen.select(np.arange(unseen.num_clips) == 0)
    words = with_relatives.of_words(first.word_features)
    row = with_relatives.inputs(first.features, words, first.word_clip)
    counts, added = with_relatives.counts.explain(row, offset_of(first, "transcript"))
    assert added.shape == (len(with_relatives.input_names),)
    assert counts.wer == pytest.approx(counts_of(with_relatives, first).wer, abs=1e-5)


def test_another_seed_gives_another_model(table: TrainingTable, estimator: Estimator) -> None:
    other = train_on_table(table, kind="transcript", engine="pocketsphinx", seed=2, plan=PLAN)
    assert other.counts.boosters["rate"].save_raw() != estimator.counts.boosters["rate"].save_raw()


def test_held_out_speakers_are_left_alone(table: TrainingTable, estimator: Estimator) -> None:
    assert estimator.manifest.num_clips == int((~table.is_held_out).sum()) < table.num_clips
    assert estimator.manifest.lineage["num_groups"] == 13


def test_it_ranks_unseen_speakers_better_than_chance(
    table: TrainingTable, estimator: Estimator
) -> None:
    held_out = table.select(table.is_held_out)
    metrics = evaluate(truth_of(held_out), score_table(estimator, held_out))
    assert metrics.spearman > 0.5
    assert metrics.word_auc is not None
    assert metrics.word_auc > 0.7
    assert metrics.coverage is not None


def test_every_baseline_guesses_on_the_same_clips(
    table: TrainingTable, estimator: Estimator
) -> None:
    scores = baselines_of(estimator, table)
    assert set(scores) == {
        "random",
        "duration",
        "mean confidence",
        "lowest confidence",
        "avg_logprob",
        "n-best disagreement",
    }
    assert evaluate(truth_of(table), scores["random"]).er20 == pytest.approx(0.2, abs=1e-3)
    assert evaluate(truth_of(table), scores["mean confidence"]).spearman > 0.5


def test_the_manifest_says_where_the_model_comes_from(estimator: Estimator) -> None:
    manifest = estimator.manifest
    assert (manifest.engine, manifest.model, manifest.kind) == (
        "pocketsphinx",
        "en-us",
        "transcript",
    )
    assert manifest.seed == 1
    assert manifest.schema == schema_of(extractors_for("transcript"))
    assert set(manifest.lineage["clips_by_source"]) == {"indoors", "outdoors"}
    assert manifest.metrics["cross_validated"]["spearman"] > 0.4
    assert manifest.id.startswith("transcript-pocketsphinx-")


def test_too_few_clips_are_refused(rng: np.random.Generator) -> None:
    with pytest.raises(TrainingError, match="20 clips to train on, at least 100 are needed"):
        train(
            made_up_examples(rng, 20), kind="transcript", engine="pocketsphinx", seed=1, plan=PLAN
        )


def test_too_few_speakers_are_refused(rng: np.random.Generator) -> None:
    with pytest.raises(TrainingError, match="2 speakers or recordings"):
        train(
            made_up_examples(rng, 110, num_speakers=2),
            kind="transcript",
            engine="pocketsphinx",
            seed=1,
            plan=PLAN,
        )


def test_a_model_that_ranks_badly_is_refused(table: TrainingTable) -> None:
    with pytest.raises(TrainingError, match=r"at least 0.99 is needed"):
        train_on_table(
            table,
            kind="transcript",
            engine="pocketsphinx",
            seed=1,
            plan=replace(PLAN, min_spearman=0.99),
        )


def test_corrections_are_mixed_with_built_in_examples(
    table: TrainingTable, rng: np.random.Generator
) -> None:
    reviews = [
        replace(example, origin="review", weight=5.0, group=f"review-{index}")
        for index, example in enumerate(made_up_examples(rng, 10))
    ]
    steps: list[tuple[float, str]] = []
    trained = train(
        reviews,
        kind="transcript",
        engine="pocketsphinx",
        seed=1,
        plan=PLAN,
        builtin=table,
        on_progress=lambda share, text: steps.append((share, text)),
    )
    assert trained.manifest.lineage["num_reviews"] == 10
    assert trained.manifest.num_clips == int((~table.is_held_out).sum()) + 10
    assert [share for share, _ in steps] == sorted(share for share, _ in steps)
    assert steps[-1] == (1.0, "training: done")


def test_weights_change_the_model(table: TrainingTable, estimator: Estimator) -> None:
    weight = np.where(table.source == "indoors", 20, 1).astype(np.float32)
    other = train_on_table(
        replace(table, weight=weight), kind="transcript", engine="pocketsphinx", seed=1, plan=PLAN
    )
    assert other.counts.boosters["rate"].save_raw() != estimator.counts.boosters["rate"].save_raw()


def test_audio_only_needs_no_transcript(audio_estimator: Estimator) -> None:
    estimate = audio_estimator.estimate(
        made_up_features(), transcript=None, speech=(SpeechSpan(0, 4),), duration_s=5.0
    )
    assert estimate.predicted_wer > 0
    assert estimate.word_error_probabilities == ()
    assert estimate.segment_expected_errors == ()


def test_audio_only_serves_any_engine_without_telling_words_apart(
    audio_estimator: Estimator,
) -> None:
    transcript = replace(made_up_transcript([0.1, 0.9]), engine="whisper", model="base")
    estimate = audio_estimator.estimate(
        made_up_features(), transcript=transcript, speech=(SpeechSpan(0, 4),), duration_s=5.0
    )
    assert len(set(estimate.word_error_probabilities)) == 1
    assert sum(estimate.segment_expected_errors) == pytest.approx(estimate.expected_errors)


def test_audio_only_knows_nothing_about_words(audio_estimator: Estimator) -> None:
    with pytest.raises(EstimatorError, match="nothing about single words"):
        audio_estimator.predict_words(np.zeros((1, 3), np.float32), np.zeros(1, np.float32))


def test_audio_only_has_fewer_baselines(
    audio_estimator: Estimator, audio_table: TrainingTable
) -> None:
    assert set(baselines_of(audio_estimator, audio_table)) == {"random", "duration"}
