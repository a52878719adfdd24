"""The measurement of our own small Whisper, on the model that travels with the package."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from qe_core.asr.whisper import DEMO_MODEL
from qe_core.config import bundled_path
from qe_core.corpus.split import is_held_out
from qe_core.recogniser.measure import KNOWN_VOICES, UNKNOWN_VOICES, measure

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("synthesisers")]


def test_the_report_has_voices_noises_people_and_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qe_core.recogniser import measure as module

    monkeypatch.setattr(module, "KNOWN_VOICES", KNOWN_VOICES[:1])
    monkeypatch.setattr(module, "UNKNOWN_VOICES", UNKNOWN_VOICES[:1])
    monkeypatch.setattr(module, "_LONG_S", 8.0)
    person = next(name for name in map(str, range(30)) if is_held_out(name))
    label = next(name for name in map(str, range(30)) if is_held_out(name))
    noise = np.random.default_rng(1).normal(0, 0.1, 16_000)
    soundfile.write(tmp_path / "a.wav", noise, 16_000)
    people = {"audio_filepath": "a.wav", "text": "hello", "speaker": person, "source": "s"}
    (tmp_path / "people.jsonl").write_text(json.dumps(people | {"language": "en"}))
    sounds = {"audio_filepath": "a.wav", "label": label, "kind": "noise"}
    (tmp_path / "noises.jsonl").write_text(json.dumps(sounds))

    report = measure(
        bundled_path(DEMO_MODEL),
        manifest=tmp_path / "people.jsonl",
        noise_manifest=tmp_path / "noises.jsonl",
        num_sentences=2,
    )

    groups = [row.group for row in report.conditions]
    assert groups == [
        *["voice"] * 2,
        *["noise"] * 4,
        "long",
        "people",
        *["nobody"] * 3,
    ]
    nobody = [row for row in report.conditions if row.group == "nobody"]
    assert [row.num_words_written for row in nobody] == [0, 0, 0]
    assert report.wer("nobody") is None
    known = report.wer("voice", KNOWN_VOICES[:1])
    assert known is not None
    assert known < 0.5
    assert report.size_bytes < 10e6
    assert 0 < report.real_time_factor < 5


def test_without_noises_it_makes_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    from qe_core.recogniser import measure as module

    (pink,) = module._noises(None)
    assert len(pink) == 20 * 16_000
    assert np.abs(pink).max() == pytest.approx(0.1, rel=1e-3)
