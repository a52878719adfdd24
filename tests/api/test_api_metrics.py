"""What Prometheus reads: counted where it happens, bounded, cheap."""

import re

import pytest
import sqlalchemy as sa

from qe_core.errors import WerkbenchError
from storage.repositories import jobs
from tests.api_client import Client
from tests.desk_clips import store_playable
from workbench import review
from workbench.metrics import REGISTRY
from workbench.runtime import Runtime
from workbench.worker import register_handler


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_a_request_moves_the_histogram_of_the_input_level(
    client: Client, speech_wav: bytes
) -> None:
    before = value("werkbench_input_rms_db_count", entry="predict")
    estimates = value("werkbench_predicted_wer_count", kind="audio")
    client.post("/api/v1/predict", content=speech_wav)
    text = client.get("/metrics").text
    assert f'werkbench_input_rms_db_count{{entry="predict"}} {before + 1}' in text
    assert f'werkbench_predicted_wer_count{{kind="audio"}} {estimates + 1}' in text


def test_the_same_clip_is_counted_once(client: Client, speech_wav: bytes) -> None:
    before = value("werkbench_input_rms_db_count", entry="clip")
    for _ in range(2):
        client.post("/api/v1/clips", content=speech_wav)
    assert value("werkbench_input_rms_db_count", entry="clip") == before + 1


def test_a_refused_file_is_not_counted(client: Client) -> None:
    before = value("werkbench_input_rms_db_count", entry="predict")
    client.post("/api/v1/predict", content=b"no audio" * 500)
    assert value("werkbench_input_rms_db_count", entry="predict") == before


def test_a_verdict_saved_twice_is_counted_once(runtime: Runtime) -> None:
    before = value("werkbench_review_seconds_count", verdict="accept")
    store_playable(runtime, "one two three", file_name="a.wav")
    task = review.next_clip(runtime, "ann")
    assert task is not None
    for _ in range(2):
        review.submit(
            runtime,
            task.clip.id,
            reviewer="ann",
            claim_token=task.claim_token,
            verdict="accept",
            text="",
            lead_time_s=12.0,
            listened_share=1.0,
        )
    assert value("werkbench_review_seconds_count", verdict="accept") == before + 1


def test_jobs_are_counted_by_how_they_end(runtime: Runtime) -> None:
    def fail(*_: object) -> None:
        raise WerkbenchError("No.", suggestion="Give up.")

    register_handler("counted-well", lambda *_: None)
    register_handler("counted-badly", fail)
    done, failed = (value("werkbench_jobs_total", state=state) for state in ("done", "failed"))
    for kind in ("counted-well", "counted-badly"):
        runtime.database.write(lambda session, kind=kind: jobs.add(session, kind))
        runtime.worker.run_next()
    assert value("werkbench_jobs_total", state="done") == done + 1
    assert value("werkbench_jobs_total", state="failed") == failed + 1


def test_the_memory_of_the_process_is_shown(client: Client) -> None:
    found = re.search(r"^process_resident_memory_bytes (\S+)$", client.get("/metrics").text, re.M)
    assert found is not None
    assert float(found[1]) > 1e7


def test_strange_paths_and_methods_make_no_new_series(client: Client) -> None:
    num_lines = []
    for name in ("first", "second", "third"):
        client.get(f"/api/v1/clips/{name}")
        client.get(f"/api/{name}")
        client.request(name, "/api/v1/clips")
        num_lines.append(len(client.get("/metrics").text.splitlines()))
    assert num_lines[0] == num_lines[1] == num_lines[2]
    assert "first" not in client.get("/metrics").text


@pytest.mark.slow
def test_a_scrape_does_not_grow_with_the_number_of_jobs(client: Client, runtime: Runtime) -> None:
    runtime.database.write(
        lambda session: session.connection().execute(
            sa.text(
                "INSERT INTO jobs SELECT lpad(i::VARCHAR, 26, '0'), 'assess', 'c' || i, 'queued', "
                "'', 0, 0, '{}', NULL, NULL, NULL, now()::TIMESTAMP, NULL, NULL, NULL "
                "FROM range(300000) t(i)"
            )
        )
    )
    client.get("/metrics")
    answer = client.get("/metrics")
    assert 'werkbench_queue_depth{queue="jobs"} 300000.0' in answer.text
    # Reading 300,000 rows into Python takes seconds; counting their states takes milliseconds.
    assert answer.elapsed.total_seconds() < 0.5
