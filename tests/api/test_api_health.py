"""Alive, ready, counted, described."""

import re

import pytest

from api.problems import status_of
from qe_core.errors import (
    AudioError,
    ConflictError,
    EngineError,
    NotFoundError,
    StorageError,
    WerkbenchError,
)
from tests.api_client import Client
from workbench import library
from workbench.runtime import Runtime


def test_process_that_answers_is_alive(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")


def test_process_without_its_worker_is_not_ready(client: Client, runtime: Runtime) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "obstacles": ["The background worker does not run."]}
    runtime.worker.start()
    assert client.get("/readyz").json() == {"ready": True, "obstacles": []}


def test_process_without_a_data_folder_is_not_ready(
    client: Client, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = runtime.settings.model_copy(update={"data_dir": runtime.settings.data_dir / "gone"})
    monkeypatch.setattr(runtime, "settings", gone)
    assert "cannot be written" in client.get("/readyz").json()["obstacles"][0]


def test_requests_are_counted_by_route_and_not_by_clip(client: Client) -> None:
    client.get("/api/v1/clips/secret-id")
    text = client.get("/metrics").text
    assert re.search(
        r'werkbench_api_requests_total\{method="GET",route="[^"]*/clips/\{clip_id\}",status="404"\}',
        text,
    )
    assert "secret-id" not in text


def test_queue_is_counted(client: Client, speech_wav: bytes) -> None:
    client.post("/api/v1/clips", content=speech_wav)
    assert 'werkbench_jobs_in_state{state="queued"} 1.0' in client.get("/metrics").text


def test_unexpected_error_shows_no_insides(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the insides")

    monkeypatch.setattr(library, "search", fail)
    answer = client.get("/api/v1/clips")
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal"
    assert "insides" not in answer.text


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFoundError("x", suggestion="y"), 404),
        (ConflictError("x", suggestion="y"), 409),
        (AudioError("x", suggestion="y", code="silent"), 422),
        (AudioError("x", suggestion="y", code="not_audio"), 415),
        (AudioError("x", suggestion="y", code="too_large"), 413),
        (EngineError("x", suggestion="y"), 503),
        (StorageError("x", suggestion="y"), 503),
        (WerkbenchError("x", suggestion="y"), 500),
    ],
)
def test_every_error_has_its_status(error: WerkbenchError, status: int) -> None:
    assert status_of(error) == status


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/nothing"])
def test_unknown_route_is_a_problem_too(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_wrong_method_names_the_right_ones(client: Client) -> None:
    answer = client.get("/api/v1/predict")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


def test_description_names_every_route_and_loads_nothing(client: Client) -> None:
    page = client.get("/api/docs")
    assert page.status_code == 200
    paths = client.get("/api/openapi.json").json()["paths"]
    assert set(paths) == {
        "/v1/predict",
        "/v1/clips",
        "/v1/clips/{clip_id}",
        "/v1/clips/{clip_id}/audio",
        "/v1/clips/{clip_id}/peaks",
        "/v1/clips/{clip_id}/spectrogram",
        "/v1/clips/{clip_id}/transcribe",
    }
    for path in paths:
        assert f"/api{path}" in page.text
    assert "<script" not in page.text
    assert "://" not in page.text
