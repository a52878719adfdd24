"""Glossary, other recognisers' words, and what a browser is given of a clip's sound."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from PIL import Image

from qe_core.config import AudioSettings
from qe_core.errors import AudioError, ConfigError, EngineError, NotFoundError
from qe_core.excerpt import decode_span, write_flac
from storage.repositories import clips, hypotheses
from tests.api_client import make_client
from tests.audio_files import ENCODINGS, Encoding, encode, tone
from tests.stored_clips import store_clip, transcript
from workbench import glossary, intake, review, second_opinion, sound
from workbench.runtime import Runtime

AIFF = Encoding("aiff", "pcm_s16be", "s16", 8_000)


def stored(runtime: Runtime, data: bytes, name: str = "a.wav") -> str:
    return intake.submit(runtime, data, file_name=name, source="upload").clip_id


def chirp(duration_s: float) -> np.ndarray:
    """A tone whose pitch says when it sounds: 500 Hz in the first second, 1,000 in the second."""
    seconds = [tone(1.0, frequency_hz=500.0 * (n + 1)) for n in range(int(duration_s))]
    return np.concatenate(seconds)


def pitch_hz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * 16_000 / len(samples))


# ---- glossary ---------------------------------------------------------------------------------


def test_glossary_is_tidied_and_remembered(runtime: Runtime) -> None:
    assert glossary.terms(runtime) == ()
    glossary.change(runtime, [" Reynard  the Fox ", "", "Kubernetes", "Kubernetes"], "ann")
    assert glossary.terms(runtime) == ("Reynard the Fox", "Kubernetes")


def test_glossary_refuses_what_is_no_term(runtime: Runtime) -> None:
    with pytest.raises(ConfigError, match="more than 100 characters"):
        glossary.change(runtime, ["x" * 101])
    with pytest.raises(ConfigError, match="1001 terms"):
        glossary.change(runtime, [f"term {n}" for n in range(1001)])


# ---- other recognisers ------------------------------------------------------------------------


def test_another_engines_newest_transcript_is_the_second_opinion(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a", text="one two")
    assert second_opinion.find(runtime, clip_id, "pocketsphinx") is None
    other = replace(transcript("one too"), engine="whisper")
    runtime.database.write(lambda session: hypotheses.add(session, clip_id, other, ()))
    found = second_opinion.find(runtime, clip_id, "pocketsphinx")
    assert found is not None
    assert found.text == "one too"


@pytest.mark.slow
def test_a_stretch_is_written_again_with_times_of_the_clip(runtime: Runtime) -> None:
    from qe_core.config import bundled_path

    data = bundled_path("sample_audio", "bank_hotline.wav").read_bytes()
    clip_id = stored(runtime, data)
    made = second_opinion.write_again(runtime, clip_id, 1.0, 4.0, engine="pocketsphinx")
    assert made.words
    assert all(0.99 <= word.start_s <= word.end_s <= 4.05 for word in made.words)
    assert review.queue(runtime) == []


def test_what_cannot_be_written_again_says_why(runtime: Runtime) -> None:
    clip_id = stored(runtime, encode(tone(2.0), ENCODINGS["wav"]))
    with pytest.raises(AudioError, match="too long to wait for"):
        second_opinion.write_again(runtime, clip_id, 0.0, 61.0, engine="pocketsphinx")
    with pytest.raises(AudioError, match="ends before"):
        second_opinion.write_again(runtime, clip_id, 30.0, 31.0, engine="pocketsphinx")
    with pytest.raises(EngineError, match="no such engine"):
        second_opinion.write_again(runtime, clip_id, 0.0, 1.0, engine="oracle")
    with pytest.raises(NotFoundError):
        second_opinion.write_again(runtime, "nobody", 0.0, 1.0, engine="pocketsphinx")


# ---- sound ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["wav", "mp3", "m4a", "flac", "ogg-opus"])
def test_a_stretch_of_any_file_is_the_stretch_that_was_asked_for(kind: str) -> None:
    encoding = ENCODINGS[kind]
    data = encode(chirp(4.0), encoding)
    samples = decode_span(data, 2.2, 2.8, name="a", limits=AudioSettings())
    assert len(samples) == pytest.approx(9600, abs=10)
    assert pitch_hz(samples) == pytest.approx(1500.0, abs=20.0)


def test_what_browsers_play_is_sent_as_it_is_and_the_rest_as_flac(runtime: Runtime) -> None:
    wav = stored(runtime, encode(tone(1.0), ENCODINGS["wav"]))
    assert sound.playable(runtime, wav) == (runtime.media.path(wav), "audio/wav")
    aiff = stored(runtime, encode(tone(1.0, 8_000), AIFF), "a.aiff")
    path, media_type = sound.playable(runtime, aiff)
    assert media_type == "audio/flac"
    samples, rate_hz = sf.read(path)
    assert (len(samples), rate_hz) == (8_000, 8_000)
    assert np.abs(samples).max() == pytest.approx(0.5, abs=0.01)
    assert sound.playable(runtime, aiff)[0].stat().st_mtime_ns == path.stat().st_mtime_ns
    # What was made from a clip is no clip, and goes with it.
    assert runtime.media.sweep({aiff, wav}).num_orphans == 0
    assert path.is_file()
    runtime.media.sweep({wav})
    assert not path.is_file()


def test_an_hour_that_is_made_playable_keeps_nobody_else_waiting(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = stored(runtime, encode(tone(1.0, 8_000), AIFF), "a.aiff")
    other = stored(runtime, encode(tone(2.0), ENCODINGS["wav"]))
    is_making, may_end = threading.Event(), threading.Event()
    made: list[Path] = []

    def write_slowly(source: Path, path: Path, **arguments: Any) -> None:
        made.append(path)
        is_making.set()
        assert may_end.wait(10.0)
        write_flac(source, path, **arguments)

    monkeypatch.setattr(sound, "write_flac", write_slowly)
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(sound.playable, runtime, slow) for _ in range(2)]
        assert is_making.wait(10.0)
        assert len(sound.fine_peaks(runtime, other, 0.0, 2.0, 50)) == 50
        may_end.set()
        assert {future.result()[1] for future in both} == {"audio/flac"}
    # Two who open the same file wait for one making of it.
    assert len(made) == 1


def test_close_up_peaks_show_when_it_is_loud(runtime: Runtime) -> None:
    quiet_then_loud = np.concatenate([tone(2.0, level=0.1), tone(2.0, level=0.8)])
    clip_id = stored(runtime, encode(quiet_then_loud, ENCODINGS["wav"]))
    peaks = sound.fine_peaks(runtime, clip_id, 1.0, 3.0, 1000)
    assert peaks.shape == (200, 2)
    assert abs(int(peaks[50, 1]) - 16) <= 2
    assert peaks[150, 1] == 127
    assert sound.fine_peaks(runtime, clip_id, 0.0, 99.0, 10).shape == (10, 2)


def test_the_api_serves_peaks_pictures_and_words(runtime: Runtime) -> None:
    client = make_client(runtime)
    clip_id = stored(runtime, encode(chirp(2.0), ENCODINGS["wav"]))
    path = f"/api/v1/clips/{clip_id}"
    peaks = client.get(f"{path}/peaks", params={"start": 0, "end": 1, "bins": 50})
    assert len(peaks.content) == 100
    picture = client.get(f"{path}/spectrogram")
    assert "immutable" in picture.headers["cache-control"]
    pixels = np.asarray(Image.open(io.BytesIO(picture.content)))
    assert pixels.shape == (256, 200)
    # 500 Hz in the first second and 1,000 Hz in the second, from the bottom up.
    assert [255 - int(pixels[:, column].argmin()) for column in (50, 150)] == [16, 32]
    assert client.get(f"{path}/spectrogram", params={"tile": 9}).status_code == 404
    refused = client.post(
        f"{path}/transcribe", json={"start": 0, "end": 90, "engine": "pocketsphinx"}
    )
    assert refused.status_code == 422
    assert "too long" in refused.json()["detail"]


def test_a_draft_remembers_how_its_rows_are_cut(runtime: Runtime) -> None:
    clip_id = store_clip(runtime, "a", text="one two")
    review.save_draft(runtime, clip_id, "ann", "one\ntwo", layout=[[0.0, 0.5], [0.5, 1.0]])
    draft = review.open_clip(runtime, clip_id, "ann").draft
    assert draft is not None
    assert draft.layout == [[0.0, 0.5], [0.5, 1.0]]
    review.save_draft(runtime, clip_id, "ann", "one two")
    draft = review.open_clip(runtime, clip_id, "ann").draft
    assert draft is not None
    assert draft.layout is None
    with runtime.database.session() as session:
        assert clips.get(session, clip_id).file_name == "a.wav"
