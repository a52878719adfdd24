"""POST /v1/predict: audio in, prediction and flag out."""

from pathlib import Path

import pytest

from tests.api_client import Client
from tests.bad_uploads import BAD_UPLOADS, ODD_NAMES
from workbench import library, preferences
from workbench.runtime import Runtime

PREDICT = "/api/v1/predict"


def test_prediction_has_an_interval_around_it_and_says_what_took_how_long(
    client: Client, speech_wav: bytes
) -> None:
    answer = client.post(PREDICT, content=speech_wav)
    assert answer.status_code == 200
    prediction = answer.json()
    assert prediction["low"] <= prediction["predicted_wer"] <= prediction["high"]
    assert prediction["duration"] == pytest.approx(2.0, abs=0.01)
    assert prediction["estimator"].startswith("quality-audio-only")
    assert set(prediction["timings"]) == {"decode", "estimate"}
    assert all(isinstance(reason, str) for reason in prediction["reasons"])


def test_form_and_raw_body_give_the_same_prediction(client: Client, speech_wav: bytes) -> None:
    raw = client.post(PREDICT, content=speech_wav).json()
    form = client.post(PREDICT, files={"file": ("a.wav", speech_wav)}).json()
    del raw["timings"], form["timings"]
    assert raw == form


def test_flag_follows_the_threshold_of_the_moment(
    client: Client, runtime: Runtime, speech_wav: bytes
) -> None:
    for threshold, flagged in ((0.0, True), (2.0, False)):
        preferences.set(runtime, "review.threshold", threshold)
        assert client.post(PREDICT, content=speech_wav).json()["flagged"] is flagged


def test_nothing_is_kept(client: Client, runtime: Runtime, speech_wav: bytes) -> None:
    client.post(PREDICT, content=speech_wav)
    assert library.search(runtime).total == 0
    assert not runtime.media.has_files()


@pytest.mark.parametrize("case", BAD_UPLOADS)
@pytest.mark.parametrize("path", [PREDICT, "/api/v1/clips"])
def test_bad_file_gets_a_problem_that_says_what_to_do(
    client: Client, runtime: Runtime, path: str, case: str
) -> None:
    data, code = BAD_UPLOADS[case]
    answer = client.post(path, files={"file": ("bad.wav", data)})
    assert answer.status_code == (415 if code == "not_audio" else 422)
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == code
    assert problem["type"] == f"urn:werkbench:problem:{code}"
    assert problem["status"] == answer.status_code
    assert problem["title"]
    assert problem["detail"].startswith("bad.wav: ")
    assert problem["suggestion"].endswith(".")
    assert library.search(runtime).total == 0
    assert not runtime.media.has_files()


@pytest.mark.parametrize("case", ODD_NAMES)
def test_name_from_outside_is_made_safe(client: Client, case: str) -> None:
    problem = client.post(PREDICT, params={"file_name": ODD_NAMES[case]}, content=b"").json()
    name = problem["detail"].removesuffix(": 0 bytes.")
    assert len(name) <= 120
    assert "/" not in name
    assert "\\" not in name
    assert name.isprintable() or case == "emoji"


def test_sample_clip_is_decoded_whatever_it_is_called(client: Client) -> None:
    from qe_core.config import bundled_path

    path: Path = bundled_path("sample_audio", "new_address.m4a")
    answer = client.post(PREDICT, files={"file": ("holiday.txt", path.read_bytes())})
    assert answer.status_code == 200
