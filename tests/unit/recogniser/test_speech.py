"""Speech to learn from: spectrograms, shards that go on where they stopped, manifests."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from qe_core.corpus.split import is_held_out
from qe_core.errors import TrainingError
from qe_core.recogniser.speech import (
    SpeechPlan,
    build_speech,
    load_noises,
    load_speech,
    log_mel,
    read_rows,
    texts_of,
)
from qe_core.recogniser.voices import PHONES
from qe_core.recogniser.windows import normalise


def write_manifest(folder: Path, rows: list[dict[str, object]]) -> Path:
    path = folder / "manifest.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def write_noise(path: Path, seed: int = 1) -> None:
    samples = np.random.default_rng(seed).normal(0, 0.1, 8_000)
    soundfile.write(path, samples, 16_000)


def test_the_spectrogram_is_that_of_faster_whisper() -> None:
    from faster_whisper.feature_extractor import FeatureExtractor

    samples = np.random.default_rng(1).normal(0, 0.1, 16_000).astype(np.float32)
    theirs = FeatureExtractor()(samples)
    ours = normalise(log_mel(samples)).T
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < 1e-4


def test_people_that_are_held_out_are_not_trained_on(tmp_path: Path) -> None:
    people = [f"person-{number}" for number in range(12)]
    rows: list[dict[str, object]] = [
        {
            "audio_filepath": f"{person}.flac",
            "text": f"WORDS OF {person}",
            "speaker": person,
            "language": "en",
            "duration": 2.0,
        }
        for person in people
    ]
    rows.append(rows[0] | {"language": "nl", "text": "WOORDEN", "speaker": "x"})
    rows.append(rows[0] | {"duration": 30.0, "text": "TOO LONG", "speaker": "x"})
    texts = texts_of(SpeechPlan(0, manifest=write_manifest(tmp_path, rows)))
    assert len(texts) == sum(not is_held_out(person) for person in people)
    assert 0 < len(texts) < len(people)


def test_noises_are_split_by_their_label(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = []
    for number in range(12):
        write_noise(tmp_path / f"{number}.wav", number)
        rows.append({"audio_filepath": f"{number}.wav", "label": f"n{number}", "kind": "noise"})
    rows.append({"audio_filepath": "0.wav", "label": "a room", "kind": "rir"})
    manifest = write_manifest(tmp_path, rows)
    training = load_noises(manifest, held_out=False)
    held_out = load_noises(manifest, held_out=True)
    assert len(training) + len(held_out) == 12
    assert held_out
    assert training[0].shape[1] == 80
    assert len(read_rows(manifest, "rir")) == 1


def test_a_manifest_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="cannot be read"):
        read_rows(tmp_path / "missing.jsonl")


def test_an_empty_folder_holds_no_speech(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no speech to learn from"):
        load_speech(tmp_path)


@pytest.mark.slow
@pytest.mark.usefixtures("synthesisers")
def test_speech_is_made_once_and_kept(tmp_path: Path) -> None:
    room = np.zeros(1600)
    room[0] = 1.0
    soundfile.write(tmp_path / "room.wav", room, 16_000)
    noises = tmp_path / "noises.jsonl"
    noises.write_text(json.dumps({"audio_filepath": "room.wav", "label": "r", "kind": "rir"}))
    speaker = next(name for name in map(str, range(9)) if not is_held_out(name))
    write_noise(tmp_path / "nobody.wav")
    manifest = write_manifest(
        tmp_path,
        [
            {
                "audio_filepath": "nobody.wav",
                "text": "noise",
                "speaker": speaker,
                "language": "en",
                "duration": 0.5,
            }
        ],
    )
    plan = SpeechPlan(14, manifest=manifest, noise_manifest=noises)
    seen: list[tuple[int, int]] = []
    for _ in range(2):
        build_speech(
            plan,
            tmp_path / "speech",
            num_processes=1,
            on_progress=lambda done, total: seen.append((done, total)),
        )
    assert seen == [(1, 1)]
    items = load_speech(tmp_path / "speech")
    # The clip in which nobody speaks is left out.
    assert [item.text for item in items] == texts_of(plan)[:14]
    for item in items:
        assert len(item.words) == len(item.text.split())
        assert item.end_s <= len(item.mel) / 100 + 0.05
        assert all(0 < number < len(PHONES) for number in item.phones)
        assert bool(item.frame_phones) == item.speaker.startswith("flite")
