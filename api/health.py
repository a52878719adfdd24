"""Is it alive, can it work, what has it done: for whoever watches over the process."""

import tempfile
from functools import partial

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from api.metrics import CONTENT_TYPE_LATEST, JOBS, render_metrics
from api.state import GetRuntime
from qe_core.errors import WerkbenchError
from storage.repositories import jobs
from workbench.metrics import QUEUE_DEPTH
from workbench.runtime import Runtime, get_runtime

__all__ = ["find_obstacles", "health_routes"]

_STATES = (jobs.QUEUED, jobs.RUNNING, jobs.DONE, jobs.FAILED)


def health_routes(get_runtime: GetRuntime = get_runtime) -> list[BaseRoute]:
    """Routes ``/healthz``, ``/readyz`` and ``/metrics``.

    Args:
        get_runtime: gives what the process holds
    """

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        obstacles = await anyio.to_thread.run_sync(partial(find_obstacles, get_runtime))
        return JSONResponse(
            {"ready": not obstacles, "obstacles": obstacles}, 503 if obstacles else 200
        )

    async def metrics(_: Request) -> Response:
        await anyio.to_thread.run_sync(partial(_count_jobs, get_runtime()))
        return Response(render_metrics(), media_type=CONTENT_TYPE_LATEST)

    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics),
    ]


def find_obstacles(get_runtime: GetRuntime) -> list[str]:
    """What keeps this process from doing its work; empty when it is ready."""
    try:
        runtime = get_runtime()
        with runtime.database.session() as session:
            jobs.has_active(session, "assess")
        runtime.audio_estimator()
        with tempfile.TemporaryFile(dir=runtime.settings.data_dir):
            pass
    except WerkbenchError as error:
        return [f"{error.message} {error.suggestion}"]
    except OSError as error:
        return [f"The data folder cannot be written ({error.strerror})."]
    return [] if runtime.worker.is_running else ["The background worker does not run."]


def _count_jobs(runtime: Runtime) -> None:
    with runtime.database.session() as session:
        counts = jobs.count_by_state(session)
    for state in _STATES:
        JOBS.labels(state).set(counts.get(state, 0))
    QUEUE_DEPTH.labels("jobs").set(counts.get(jobs.QUEUED, 0))
