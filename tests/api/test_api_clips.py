"""Clips over HTTP: hand one in, follow it, read it, hear it."""

import pytest

from qe_core.config import ApiSettings, Settings
from storage.repositories import clips
from tests.api_client import Client, make_client
from tests.builders import estimate, transcript
from tests.stored_clips import store_clip
from workbench.exchange import segment_records, word_records
from workbench.runtime import Runtime

CLIPS = "/api/v1/clips"


def test_new_file_is_accepted_with_its_place(client: Client, speech_wav: bytes) -> None:
    answer = client.post(CLIPS, files={"file": ("a.wav", speech_wav)})
    assert answer.status_code == 202
    body = answer.json()
    assert body["file_name"] == "a.wav"
    assert body["is_duplicate"] is False
    assert answer.headers["location"] == f"{CLIPS}/{body['id']}"
    clip = client.get(answer.headers["location"]).json()
    assert clip["state"] == "queued"
    assert clip["source"] == "api"
    assert clip["duration"] == pytest.approx(2.0, abs=0.01)
    assert clip["transcript"] is clip["estimate"] is clip["flagged"] is clip["review"] is None


def test_same_bytes_again_are_the_same_clip(client: Client, speech_wav: bytes) -> None:
    first = client.post(CLIPS, content=speech_wav, params={"file_name": "a.wav"})
    again = client.post(CLIPS, content=speech_wav, params={"file_name": "b.wav"})
    assert again.status_code == 200
    assert again.json()["is_duplicate"] is True
    assert again.json()["id"] == first.json()["id"]
    assert again.headers["location"] == first.headers["location"]
    assert client.get(CLIPS).json()["total"] == 1


def test_parts_of_one_recording_name_it(
    client: Client, runtime: Runtime, speech_wav: bytes
) -> None:
    answer = client.post(CLIPS, content=speech_wav, params={"recording": "call 7", "speaker": "Bo"})
    with runtime.database.session() as session:
        clip = clips.get(session, answer.json()["id"])
    assert (clip.recording, clip.speaker) == ("call 7", "Bo")


@pytest.mark.slow
def test_assessed_clip_has_transcript_estimate_flag_and_reasons(
    client: Client, runtime: Runtime
) -> None:
    from qe_core.config import bundled_path

    sample = bundled_path("sample_audio", "bank_hotline.wav").read_bytes()
    place = client.post(CLIPS, content=sample).headers["location"]
    assert runtime.worker.run_next()
    clip = client.get(place).json()
    assert (clip["state"], clip["progress"], clip["error"]) == ("done", 1.0, None)
    assert clip["transcript"]["engine"] == "pocketsphinx"
    words = clip["transcript"]["words"]
    assert words
    assert clip["transcript"]["text"].split() == [word["word"] for word in words]
    assert all(0 <= word["error_probability"] <= 1 for word in words)
    assert clip["estimate"]["low"] <= clip["estimate"]["predicted_wer"] <= clip["estimate"]["high"]
    assert clip["flagged"] is True
    assert clip["reasons"]


def test_list_is_cut_into_pages(client: Client, runtime: Runtime) -> None:
    for number in range(5):
        store_clip(runtime, f"clip-{number}")
    first = client.get(CLIPS, params={"limit": 2}).json()
    last = client.get(CLIPS, params={"limit": 2, "offset": 4}).json()
    assert first["total"] == last["total"] == 5
    assert (len(first["clips"]), len(last["clips"])) == (2, 1)
    assert last["clips"][0]["id"] not in {clip["id"] for clip in first["clips"]}


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 501}, {"offset": -1}, {"limit": "x"}])
def test_page_that_cannot_be_is_refused(client: Client, query: dict[str, int | str]) -> None:
    answer = client.get(CLIPS, params=query)
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_request"


@pytest.mark.parametrize("path", ["/unknown", "/unknown/audio", "/..%2f..%2fetc%2fpasswd/audio"])
def test_unknown_clip_is_not_found(client: Client, path: str) -> None:
    answer = client.get(CLIPS + path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["suggestion"]


def test_sound_comes_whole_or_in_ranges(client: Client, speech_wav: bytes) -> None:
    place = client.post(CLIPS, content=speech_wav).headers["location"]
    whole = client.get(f"{place}/audio")
    assert whole.content == speech_wav
    assert whole.headers["content-type"] == "audio/wav"
    part = client.get(f"{place}/audio", headers={"range": "bytes=10-19"})
    assert part.status_code == 206
    assert part.content == speech_wav[10:20]
    assert part.headers["content-range"] == f"bytes 10-19/{len(speech_wav)}"
    beyond = client.get(f"{place}/audio", headers={"range": f"bytes={len(speech_wav)}-"})
    assert beyond.status_code == 416


def test_sound_can_be_nothing_but_sound(client: Client, speech_wav: bytes) -> None:
    place = client.post(
        CLIPS, content=speech_wav, params={"file_name": '"><script>alert(1)</script>.html'}
    ).headers["location"]
    headers = client.get(f"{place}/audio").headers
    assert headers["content-type"] == "audio/wav"
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]
    assert "<script>" not in headers["content-disposition"]


def test_switched_off_api_still_plays_clips(
    client: Client, runtime: Runtime, settings: Settings, speech_wav: bytes
) -> None:
    place = client.post(CLIPS, content=speech_wav).headers["location"]
    runtime.settings = settings.model_copy(update={"api": ApiSettings(is_enabled=False)})
    closed = make_client(runtime)
    assert closed.post("/api/v1/predict", content=speech_wav).status_code == 404
    assert closed.get(CLIPS).status_code == 404
    assert closed.get(f"{place}/audio").status_code == 200


def test_estimate_of_another_transcript_is_not_pinned_on_words() -> None:
    hypothesis = transcript("one two three")
    fitting = estimate(word_error_probabilities=(0.1, 0.2, 0.3), segment_expected_errors=(0.6,))
    other = estimate(word_error_probabilities=(0.1,), segment_expected_errors=(0.3, 0.3))
    assert [word["error_probability"] for word in word_records(hypothesis, fitting)] == [
        0.1,
        0.2,
        0.3,
    ]
    assert segment_records(hypothesis, fitting)[0]["expected_errors"] == 0.6
    assert {word["error_probability"] for word in word_records(hypothesis, other)} == {None}
    assert segment_records(hypothesis, other)[0]["expected_errors"] is None
    assert segment_records(hypothesis, None)[0]["expected_errors"] is None
