"""A tiny Whisper learns, keeps what it should, and runs through faster-whisper afterwards."""

import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from qe_core.config import EngineSettings, FinetuneSettings
from qe_core.errors import TrainingError
from qe_core.recogniser.dataset import DataSet
from qe_core.recogniser.finetune import Lesson, tune
from qe_core.recogniser.finetune_export import export
from qe_core.recogniser.finetune_judge import open_recogniser
from qe_core.recogniser.finetune_model import load_model, mix, save_model, weights_of
from qe_core.recogniser.finetune_process import fine_tune_beside, serve
from qe_core.recogniser.finetune_task import MODEL, Outcome, Task, fine_tune
from qe_core.recogniser.finetune_windows import IGNORED, Scribe, Window, cut_windows
from tests.whisper_checkpoint import make_checkpoint, spoken_clips

pytestmark = pytest.mark.slow

SETTINGS = FinetuneSettings(
    max_epochs=2, batch_size=4, micro_batch_size=2, learning_rate=0.003, num_threads=1
)
NOTHING = DataSet((), (), (), {})


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("whisper") / "tiny")


@pytest.fixture(scope="module")
def scribe(serving: Path) -> Scribe:
    return Scribe(serving, 1765)


@pytest.fixture(scope="module")
def windows(scribe: Scribe, tmp_path_factory: pytest.TempPathFactory) -> list[Window]:
    made, num_unfit = cut_windows(
        spoken_clips()[:6], scribe, tmp_path_factory.mktemp("windows"), max_tokens=448
    )
    assert num_unfit == 0
    return made


def task(serving: Path, work: Path, **changes: object) -> Task:
    clips = spoken_clips()
    data = DataSet(tuple(clips[:4]), tuple(clips[4:6]), tuple(clips[6:8]), {})
    made = Task(
        serving, serving / "checkpoint", work, data, NOTHING, SETTINGS, EngineSettings(beam_size=1)
    )
    return replace(made, **changes)


# --- windows -----------------------------------------------------------------------------------


def test_a_text_is_written_as_faster_whisper_prompts_and_reads_it(scribe: Scribe) -> None:
    from tokenizers import Tokenizer

    plain, timed, num_prompt = scribe.write(" hi  you ", 0.2, 1.54, language="en")

    assert num_prompt == (2, 1)
    tokenizer: Tokenizer = scribe._tokenizer
    assert [tokenizer.id_to_token(token) for token in plain] == [
        "<|startoftranscript|>",
        "<|notimestamps|>",
        *"Ġhi",
        *"Ġyou",
        "<|endoftext|>",
    ]
    assert tokenizer.id_to_token(timed[1]) == "<|0.20|>"
    assert tokenizer.id_to_token(timed[-2]) == "<|1.54|>"


def test_no_timestamp_is_later_than_decoding_may_begin_with(scribe: Scribe) -> None:
    _, timed, _ = scribe.write("hi", 7.0, 9.0, language="en")

    assert scribe._tokenizer.id_to_token(timed[1]) == "<|1.00|>"


def test_prompts_are_given_and_not_learnt(windows: list[Window]) -> None:
    for is_timed in (False, True):
        labels = windows[0].labels(is_timed=is_timed)
        tokens = windows[0].tokens(is_timed=is_timed)
        assert len(labels) == len(tokens) - 1
        assert labels.count(IGNORED) == (0 if is_timed else 1)
        assert labels[-3:] == tokens[-3:]


def test_features_are_those_that_faster_whisper_computes_when_it_serves(
    serving: Path, windows: list[Window]
) -> None:
    from faster_whisper import WhisperModel
    from faster_whisper.vad import VadOptions, collect_chunks, get_speech_timestamps

    from qe_core.audio import decode
    from qe_core.config import AudioSettings

    clip = spoken_clips()[0]
    samples = decode(clip.audio, name=clip.id, limits=AudioSettings()).samples
    whisper = WhisperModel(str(serving), device="cpu")
    chunks, _ = collect_chunks(samples, get_speech_timestamps(samples, VadOptions()))
    served = whisper.feature_extractor(np.concatenate(chunks))[:, :-1]

    assert np.load(windows[0].features) == pytest.approx(served, abs=2e-3)


def test_what_does_not_fit_is_counted(scribe: Scribe, tmp_path: Path) -> None:
    clips = spoken_clips()
    damaged = tmp_path / "damaged.wav"
    damaged.write_bytes(b"RIFF" + bytes(4000))
    unfit = [replace(clips[0], audio=damaged), replace(clips[1], text="word " * 100)]

    made, num_unfit = cut_windows([*unfit, clips[2]], scribe, tmp_path / "out", max_tokens=448)

    assert (len(made), num_unfit) == (1, 2)


# --- training ----------------------------------------------------------------------------------


def test_the_loss_falls_and_the_same_seed_gives_the_same_weights(
    serving: Path, windows: list[Window]
) -> None:
    lesson = Lesson(windows[:4], windows[4:], replay=windows[4:], replay_validation=windows[:1])
    results = []
    for _ in range(2):
        model = load_model(serving / "checkpoint")
        tuning = tune(model, lesson, SETTINGS)
        results.append((tuning, weights_of(model)))

    first, second = results
    assert first[0].losses[-1] < first[0].losses[0]
    assert first[0].share > 0
    assert first[0].num_windows == 2 * (4 + 2)
    assert first[0].losses == second[0].losses
    assert all(first[1][name].equal(second[1][name]) for name in first[1])
    assert dict(first[0].share_losses)[first[0].share] == min(dict(first[0].share_losses).values())


def test_weights_that_validate_no_better_are_thrown_away(
    serving: Path, windows: list[Window]
) -> None:
    model = load_model(serving / "checkpoint")
    before = weights_of(model)
    # Everything of it is given: its loss is zero and cannot fall.
    indifferent = replace(windows[4], num_prompt=(len(windows[4].plain), len(windows[4].timed)))

    tuning = tune(model, Lesson(windows[:4], [indifferent]), SETTINGS)

    assert (tuning.share, tuning.stopped_by) == (0.0, "patience")
    assert all(before[name].equal(value) for name, value in weights_of(model).items())


def test_time_ends_a_training_with_what_it_has(serving: Path, windows: list[Window]) -> None:
    model = load_model(serving / "checkpoint")
    short = SETTINGS.model_copy(update={"max_minutes": 1e-6, "max_epochs": 50})

    tuning = tune(model, Lesson(windows[:4], windows[4:]), short)

    assert (tuning.stopped_by, tuning.num_steps) == ("time", 1)


def test_a_mixture_lies_between_old_and_new(serving: Path) -> None:
    model = load_model(serving / "checkpoint")
    before = weights_of(model)
    after = {name: value + 1 for name, value in before.items()}

    mix(model, before, after, 0.25)

    assert all(
        np.allclose(value, before[name] + 0.25, atol=1e-6)
        for name, value in weights_of(model).items()
    )


# --- checkpoints and conversion ----------------------------------------------------------------


def test_an_untrained_model_comes_back_as_the_serving_one(serving: Path, tmp_path: Path) -> None:
    model = load_model(serving / "checkpoint")
    save_model(model, serving / "checkpoint", tmp_path / "model" / "checkpoint")

    export(tmp_path / "model" / "checkpoint", serving, tmp_path / "model")

    made = {path.name: path for path in (tmp_path / "model").iterdir() if path.is_file()}
    assert made.keys() == {path.name for path in serving.iterdir() if path.is_file()}
    assert all(path.read_bytes() == (serving / name).read_bytes() for name, path in made.items())
    assert not (tmp_path / "model-converting").exists()


def test_a_checkpoint_of_another_model_is_refused(serving: Path, tmp_path: Path) -> None:
    from tests.whisper_model import make_whisper

    other = make_whisper(tmp_path / "other")
    words = json.loads((serving / "vocabulary.json").read_text())
    (other / "vocabulary.json").write_text(json.dumps([*words[:-1], "other"]))

    with pytest.raises(TrainingError, match="not that of the serving recogniser"):
        export(serving / "checkpoint", other, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_without_weights_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "whisper"}')

    with pytest.raises(TrainingError, match="not a usable Whisper checkpoint"):
        load_model(tmp_path)


# --- the whole task ----------------------------------------------------------------------------


def test_a_task_ends_with_a_model_that_the_product_loads(serving: Path, tmp_path: Path) -> None:
    seen: list[float] = []
    replay = DataSet(
        tuple(spoken_clips()[8:10]), tuple(spoken_clips()[10:11]), tuple(spoken_clips()[11:]), {}
    )

    outcome = fine_tune(
        task(serving, tmp_path, replay=replay), lambda share, _text: seen.append(share)
    )

    assert outcome.test is not None
    assert outcome.replay is not None
    assert (outcome.test.num_clips, outcome.replay.num_clips) == (2, 2)
    tuned = open_recogniser(tmp_path / MODEL, EngineSettings(beam_size=1))
    assert tuned.version == outcome.version_after != outcome.version_before
    assert (tmp_path / MODEL / "checkpoint" / "model.safetensors").is_file()
    assert [path.name for path in tmp_path.iterdir()] == [MODEL]
    assert seen == sorted(seen)
    assert outcome.num_windows["train"] == 4
    assert Outcome.from_dict(json.loads(json.dumps(outcome.to_dict()))) == outcome


def test_clips_that_do_not_fit_end_it_with_their_number(serving: Path, tmp_path: Path) -> None:
    made = task(serving, tmp_path)
    long = tuple(replace(clip, text="word " * 100) for clip in made.data.train)

    with pytest.raises(TrainingError, match="4 training and 0 validation clips do not"):
        fine_tune(replace(made, data=replace(made.data, train=long)))


def test_a_process_of_its_own_answers_in_lines(serving: Path, tmp_path: Path) -> None:
    answers = BytesIO()
    (tmp_path / "checkpoint").mkdir()

    serve(task(serving, tmp_path, checkpoint=tmp_path / "checkpoint").to_json(), answers)

    lines = [json.loads(line) for line in answers.getvalue().splitlines()]
    assert lines[0] == {"share": 0.0, "text": "reading the checkpoint"}
    assert "not a usable Whisper checkpoint" in lines[-1]["error"]
    assert lines[-1]["code"] == "checkpoint"


def test_what_progress_raises_ends_the_process(serving: Path, tmp_path: Path) -> None:
    class EnoughError(Exception):
        pass

    def stop(_share: float, _text: str) -> None:
        raise EnoughError

    with pytest.raises(EnoughError):
        fine_tune_beside(task(serving, tmp_path), stop)


def test_an_error_in_the_process_is_raised_here(serving: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="not a usable Whisper checkpoint"):
        fine_tune_beside(task(serving, tmp_path, checkpoint=tmp_path / "gone"))
