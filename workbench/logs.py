"""The log: one setup for all entry points, a clip id on every line about a clip."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pythonjsonlogger.json import JsonFormatter

from qe_core.config import LoggingSettings

__all__ = ["about_clip", "configure_logging"]

_clip_id: ContextVar[str | None] = ContextVar("werkbench_clip_id", default=None)
_HANDLER = "werkbench"
_PACKAGES = ("qe_core", "storage", "workbench", "ui", "api", "jobs", "pages")


@contextmanager
def about_clip(clip_id: str | None) -> Iterator[None]:
    """Every line logged inside the block, by whatever module, carries this clip id."""
    token = _clip_id.set(clip_id)
    try:
        yield
    finally:
        _clip_id.reset(token)


def configure_logging(settings: LoggingSettings) -> None:
    """Send the log of our packages to stderr, as text or as one JSON object per line.

    Other libraries keep their own handlers. Calling it again replaces the former setup.

    Args:
        settings: level and format
    """
    handler = logging.StreamHandler()
    handler.set_name(_HANDLER)
    handler.addFilter(_add_clip_id)
    handler.setFormatter(_json_formatter() if settings.format == "json" else _TextFormatter())
    for name in _PACKAGES:
        logger = logging.getLogger(name)
        for former in [former for former in logger.handlers if former.get_name() == _HANDLER]:
            logger.removeHandler(former)
        logger.addHandler(handler)
        logger.setLevel(settings.level)
        logger.propagate = False


class _TextFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        clip_id = getattr(record, "clip_id", None)
        text = super().format(record)
        return f"{text} [clip {clip_id[:12]}]" if clip_id else text


def _json_formatter() -> JsonFormatter:
    return JsonFormatter(
        ["levelname", "name", "message"],
        rename_fields={"levelname": "level", "name": "logger"},
        timestamp=True,
    )


def _add_clip_id(record: logging.LogRecord) -> bool:
    clip_id = getattr(record, "clip_id", None) or _clip_id.get()
    if clip_id is not None:
        record.clip_id = clip_id
    return True
