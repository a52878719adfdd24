from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from qe_core.corpus.examples import Recognised, read_recognised, write_recognised
from qe_core.corpus.split import is_held_out
from qe_core.errors import TrainingError
from qe_core.estimation.builtin import (
    EXAMPLES_FILE,
    MIN_CLIPS,
    Sources,
    build,
    examples_of,
    read_corpus,
    train_kind,
)
from qe_core.estimation.builtin_any import build_any, read_engines
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.scoring import score_table
from qe_core.estimation.table import TrainingTable
from qe_core.estimation.words import WORD_FEATURES, num_word_features
from qe_core.types import SAMPLE_RATE_HZ
from tests.builders import speech_like
from tests.unit.estimation.clips import PLAN, made_up_features, made_up_transcript

pytestmark = pytest.mark.slow


def _speakers() -> list[str]:
    names = [f"speaker-{index}" for index in range(60)]
    held_out = [name for name in names if is_held_out(name)][:3]
    return held_out + [name for name in names if not is_held_out(name)][:6]


def _recognise(folder: Path, count: int) -> Path:
    rng = np.random.default_rng(5)
    path = folder / "recognised.jsonl"
    speakers = _speakers()
    soundfile.write(folder / "a.wav", speech_like(rng, 1.0), SAMPLE_RATE_HZ)
    rows = []
    for index in range(count):
        # One sound under many names: only the transcripts differ.
        name = folder / f"{index}.wav"
        name.hardlink_to(folder / "a.wav")
        quality = float(rng.uniform(0.1, 0.9))
        transcript = made_up_transcript([quality] * 5)
        is_right = rng.uniform(size=5) < quality
        spoken = [
            word.word if right else "zulu"
            for word, right in zip(transcript.words, is_right, strict=True)
        ]
        rows.append(
            Recognised(
                audio_filepath=str(name),
                duration=1.0,
                reference=" ".join(spoken),
                transcript=transcript,
                speaker=speakers[index % len(speakers)],
                recording=str(index),
                source="indoors" if index % 2 else "outdoors",
                language="en",
                condition="clean",
            )
        )
    write_recognised(rows, path)
    return path


def test_a_corpus_becomes_two_estimators_with_cards_and_examples(tmp_path: Path) -> None:
    recognised = _recognise(tmp_path, 150)
    steps: list[str] = []
    plan = replace(PLAN, min_clips=90, min_spearman=-1.0)
    ours, audio = build(
        Sources(recognised),
        tmp_path / "models",
        seed=1,
        plan=plan,
        on_progress=lambda _share, text: steps.append(text),
    )
    assert ours.folder.name == "quality-pocketsphinx-en-us"
    assert [line.name for line in ours.held_out] == [
        "estimator",
        "random",
        "duration",
        "mean confidence",
        "lowest confidence",
        "avg_logprob",
        "n-best disagreement",
    ]
    assert [line.name for line in ours.others] == ["source: indoors", "source: outdoors"]
    loaded = Estimator.load(ours.folder)
    assert loaded.manifest.metrics["held_out"]["estimator"]["num_clips"] == 51
    assert loaded.manifest.id.startswith("quality-pocketsphinx-en-us-")
    assert Estimator.load(audio.folder).manifest.engine == "any"
    card = (ours.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "| mean confidence | 51 |" in card
    assert "see its own terms" in card
    assert "test-1 (150)" in card
    examples = TrainingTable.load(ours.folder / EXAMPLES_FILE)
    assert examples.num_clips == 150
    assert examples.is_held_out.sum() == 51
    assert "computing features" in steps
    # The features are not computed again, so the sound is no longer needed.
    for path in tmp_path.glob("*.wav"):
        path.unlink()
    again = read_corpus(recognised).table
    assert again.fingerprint == examples.fingerprint
    with pytest.raises(TrainingError, match=f"at least {MIN_CLIPS:,} are needed"):
        train_kind(again, "transcript", ("pocketsphinx", "en-us"), seed=1)


def test_transcripts_by_several_engines_are_refused(tmp_path: Path) -> None:
    recognised = _recognise(tmp_path, 1)
    other = replace(made_up_transcript([0.5]), engine="whisper", model="base")
    row = Recognised("x.wav", 1.0, "a", other, "s", "r", "indoors", "en", "clean")
    write_recognised([row], recognised)
    with pytest.raises(
        TrainingError, match=r"several engines \(pocketsphinx:en-us, whisper:base\)"
    ):
        read_corpus(recognised)


def test_a_missing_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no recognised clip"):
        read_corpus(tmp_path / "recognised.jsonl")


def test_a_thorough_estimator_learns_from_second_opinions(tmp_path: Path) -> None:
    recognised = _recognise(tmp_path, 120)
    (tmp_path / "other").mkdir()
    second = tmp_path / "other" / "recognised.jsonl"
    rows = list(read_recognised(recognised))
    write_recognised(
        [replace(row, transcript=replace(row.transcript, model="en-us-fast")) for row in rows],
        second,
    )
    plan = replace(PLAN, min_clips=60, min_spearman=-1.0)
    with pytest.raises(TrainingError, match="needs second opinions"):
        build(Sources(recognised), tmp_path, seed=1, plan=plan, depth="thorough")
    with pytest.raises(TrainingError, match="no second opinion on these clips"):
        build(Sources(recognised, second=recognised), tmp_path, seed=1, plan=plan, depth="thorough")
    [built] = build(
        Sources(recognised, second, relatives=[second]),
        tmp_path / "models",
        seed=1,
        plan=plan,
        depth="thorough",
    )
    assert built.folder.name == "quality-pocketsphinx-en-us-thorough"
    loaded = Estimator.load(built.folder)
    assert loaded.manifest.depth == "thorough"
    assert loaded.manifest.is_current
    assert "second_disagreement" in loaded.manifest.feature_names
    examples = TrainingTable.load(examples_of(built.folder))
    assert examples.own.num_clips == 120
    assert examples.is_relative.sum() == (~examples.own.is_held_out).sum()
    card = (built.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert f"and {examples.is_relative.sum()} by relatives of the recogniser" in card
    column = examples.features[:, examples.feature_names.index("second_disagreement")]
    assert (column == 0).all()
    assert loaded.word_doubts is not None
    assert loaded.word_doubts.num_features() == len(WORD_FEATURES)
    standard = train_kind(examples, "transcript", ("pocketsphinx", "en-us"), seed=1, plan=plan)
    assert standard.word_doubts is not None
    assert standard.word_doubts.num_features() == num_word_features("standard")
    assert score_table(standard, examples).word_probabilities is not None


def test_several_recognisers_teach_an_estimator_for_any(tmp_path: Path) -> None:
    paths = []
    for model in ("one", "two", "three"):
        folder = tmp_path / model
        folder.mkdir()
        path = _recognise(folder, 90)
        rows = [
            replace(row, transcript=replace(row.transcript, model=model))
            for row in read_recognised(path)
        ]
        path.unlink()
        write_recognised(rows, path)
        paths.append(path)
    plan = replace(PLAN, min_clips=90, min_spearman=-1.0)
    built = build_any(paths, tmp_path / "models", seed=1, plan=plan)
    assert built.folder.name == "quality-any-any"
    assert [line.name for line in built.others] == [
        f"pocketsphinx:{model}, without it" for model in ("one", "two", "three")
    ]
    loaded = Estimator.load(built.folder)
    assert loaded.manifest.profile is not None
    assert loaded.manifest.profile.num_clips == 270
    assert "Recognisers that it does not know" in (built.folder / "MODEL_CARD.md").read_text()

    # It judges a recogniser that it has never seen, from the raw scores.
    transcript = replace(made_up_transcript([0.9, 0.1]), engine="nobody", model="knows")
    features = {**made_up_features(0.5), "avg_logprob": -1.0}
    estimate = loaded.estimate(features, transcript=transcript, speech=(), duration_s=1.0)
    assert estimate.estimator == loaded.manifest.id

    with pytest.raises(TrainingError, match="Two of the files"):
        read_engines([paths[0], paths[1], paths[0]])


def test_stages_of_one_model_are_told_apart_by_their_version(tmp_path: Path) -> None:
    for version in ("1", "2"):
        (tmp_path / version).mkdir()
        path = _recognise(tmp_path / version, 9)
        rows = [
            replace(row, transcript=replace(row.transcript, version=version))
            for row in read_recognised(path)
        ]
        path.unlink()
        write_recognised(rows, path)
    tables = read_engines([tmp_path / name / "recognised.jsonl" for name in ("1", "2")])
    assert list(tables) == ["pocketsphinx:en-us@1", "pocketsphinx:en-us@2"]


def test_who_gives_second_opinions_gets_one_too(tmp_path: Path) -> None:
    first = _recognise(tmp_path, 9)
    rows = [
        replace(row, transcript=replace(row.transcript, model="other"))
        for row in read_recognised(first)
    ]
    second = tmp_path / "second" / "recognised.jsonl"
    second.parent.mkdir()
    write_recognised(rows, second)
    tables = read_engines([first, second], second=second, depth="thorough")
    for table in tables.values():
        column = table.feature_names.index("second_disagreement")
        assert np.isfinite(table.features[:, column]).all()
