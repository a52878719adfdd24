"""What can be said about a file at once, without transcribing it."""

import io
import logging
import os
import threading
import wave
from functools import partial
from time import perf_counter
from typing import Annotated, Any, BinaryIO

import anyio
import anyio.to_thread
from fastapi import APIRouter, Query, Request

from api.metrics import PREDICT_SECONDS
from api.problems import Problem
from api.schemas import Prediction
from api.state import runtime_of
from api.uploads import UPLOAD_SCHEMA, received
from qe_core.audio import decode
from qe_core.errors import WerkbenchError
from qe_core.pipeline import triage
from qe_core.types import SAMPLE_RATE_HZ
from workbench import metrics, preferences
from workbench.runtime import Runtime

__all__ = ["predict", "router", "warm_up"]

_LOG = logging.getLogger(__name__)

router = APIRouter(tags=["predict"])

_MB = 1024 * 1024
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem} for status in (400, 413, 415, 422)
}
# More at a time than there are cores would only make every one of them slower.
_slots = anyio.CapacityLimiter(os.cpu_count() or 1)


@router.post("/predict", responses=_PROBLEMS, openapi_extra=UPLOAD_SCHEMA)
async def predict_file(
    request: Request, file_name: Annotated[str | None, Query(max_length=1000)] = None
) -> Prediction:
    """Predict the WER of a file from its sound alone; nothing is kept.

    Rough but fast: for the estimate that knows the transcript, hand the file in as a clip.
    """
    runtime = runtime_of(request)
    max_bytes = runtime.settings.audio.max_upload_mb * _MB
    async with received(request, max_bytes=max_bytes, name=file_name) as upload:
        work = partial(predict, runtime, upload.file, name=upload.name)
        prediction = await anyio.to_thread.run_sync(work, limiter=_slots)
    PREDICT_SECONDS.observe(sum(prediction.timings.values()))
    return prediction


def predict(runtime: Runtime, file: BinaryIO, *, name: str, is_counted: bool = True) -> Prediction:
    """Decode a file and predict its WER from the sound alone.

    Args:
        runtime: the runtime, for limits, threshold and estimator
        file: the bytes
        name: file name for messages
        is_counted: show up in the metrics

    Returns:
        prediction, flag and the seconds that both stages took

    Raises:
        AudioError: the file is refused
    """
    started = perf_counter()
    settings = preferences.get(runtime)
    audio = decode(file, name=name, limits=settings.audio)
    decoded = perf_counter()
    estimate = triage(audio, runtime.audio_estimator(), level=settings.quality.interval_level)
    finished = perf_counter()
    is_flagged = estimate.predicted_wer >= settings.review.threshold
    if is_counted:
        metrics.count_sound(audio, "predict")
        metrics.count_estimate(estimate.predicted_wer, "audio", is_flagged=is_flagged)
    return Prediction(
        predicted_wer=estimate.predicted_wer,
        low=estimate.low,
        high=estimate.high,
        interval_level=estimate.interval_level,
        flagged=is_flagged,
        reasons=[reason.text for reason in estimate.reasons],
        duration=audio.duration_s,
        estimator=estimate.estimator,
        timings={"decode": decoded - started, "estimate": finished - decoded},
    )


def warm_up(runtime: Runtime) -> None:
    """Predict something in the background, so that the first request need not load the models."""

    def work() -> None:
        try:
            predict(runtime, _noise(), name="warm-up.wav", is_counted=False)
        except WerkbenchError as error:
            _LOG.warning("Predictions will not work: %s %s", error.message, error.suggestion)

    threading.Thread(target=work, name="warm-up", daemon=True).start()


def _noise() -> BinaryIO:
    """A second of sound that nothing refuses."""
    file = io.BytesIO()
    with wave.open(file, "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(SAMPLE_RATE_HZ)
        target.writeframes(bytes(range(1, 101)) * (2 * SAMPLE_RATE_HZ // 100))
    file.seek(0)
    return file
