"""What the HTTP side adds to the metrics, and how all of them are read."""

from time import perf_counter

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workbench.metrics import REGISTRY

__all__ = [
    "CONTENT_TYPE_LATEST",
    "JOBS",
    "PREDICT_SECONDS",
    "CountRequests",
    "render_metrics",
]

_BUCKETS_S = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 10.0)

PREDICT_SECONDS = Histogram(
    "werkbench_predict_seconds",
    "Seconds from received file to prediction.",
    buckets=_BUCKETS_S,
    registry=REGISTRY,
)
JOBS = Gauge(
    "werkbench_jobs_in_state", "Jobs in the database by state.", ["state"], registry=REGISTRY
)
_REQUESTS = Counter(
    "werkbench_api_requests_total",
    "Answered API requests.",
    ["method", "route", "status"],
    registry=REGISTRY,
)
_REQUEST_SECONDS = Histogram(
    "werkbench_api_request_seconds",
    "Seconds from request to the end of the answer.",
    ["route"],
    buckets=_BUCKETS_S,
    registry=REGISTRY,
)


def render_metrics() -> bytes:
    """Everything in Prometheus' text format."""
    return generate_latest(REGISTRY)


class CountRequests:
    """Counts the requests of an app by route, not by path: ids must not become time series."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on and count."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        status = 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            route = getattr(scope.get("route"), "path", "unknown")
            _REQUESTS.labels(_known_method(scope["method"]), route, str(status)).inc()
            _REQUEST_SECONDS.labels(route).observe(perf_counter() - started)


def _known_method(method: str) -> str:
    return method if method in {"GET", "HEAD", "POST", "OPTIONS"} else "other"
