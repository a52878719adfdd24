"""Every line about a clip carries its id."""

import json
import logging
from collections.abc import Iterator
from typing import Literal

import pytest

from qe_core.config import LoggingSettings
from workbench.logs import about_clip, configure_logging

_NAMES = ("qe_core", "storage", "workbench", "ui", "api", "jobs", "pages")


@pytest.fixture(autouse=True)
def _restore_loggers() -> Iterator[None]:
    yield
    for name in _NAMES:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.setLevel(logging.NOTSET)
        logger.propagate = True


def _configure(
    format_: Literal["text", "json"], level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
) -> None:
    configure_logging(LoggingSettings(format=format_, level=level))


def test_json_lines_carry_level_logger_time_and_clip(capsys: pytest.CaptureFixture[str]) -> None:
    _configure("json")
    with about_clip("c" * 64):
        logging.getLogger("qe_core.asr").warning("Slow: %s", "very")
    line = json.loads(capsys.readouterr().err)
    assert (line["level"], line["logger"], line["message"]) == (
        "WARNING",
        "qe_core.asr",
        "Slow: very",
    )
    assert line["clip_id"] == "c" * 64
    assert "timestamp" in line


def test_a_traceback_stays_inside_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    _configure("json")
    try:
        int("no number")
    except ValueError:
        logging.getLogger("workbench").exception("Failed.")
    (line,) = capsys.readouterr().err.splitlines()
    assert "ValueError: invalid literal" in json.loads(line)["exc_info"]


def test_text_lines_end_with_the_clip(capsys: pytest.CaptureFixture[str]) -> None:
    _configure("text")
    logging.getLogger("workbench").info("Ready.")
    logging.getLogger("workbench").info("Ready.", extra={"clip_id": "d" * 64})
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith("Ready.")
    assert second.endswith(f"Ready. [clip {'d' * 12}]")


def test_a_clip_is_forgotten_after_its_block(capsys: pytest.CaptureFixture[str]) -> None:
    _configure("json")
    with about_clip("c" * 64):
        pass
    logging.getLogger("storage").info("Later.")
    assert "clip_id" not in json.loads(capsys.readouterr().err)


def test_configuring_again_does_not_write_lines_twice(capsys: pytest.CaptureFixture[str]) -> None:
    _configure("text")
    _configure("json", "WARNING")
    logging.getLogger("api").warning("Once.")
    logging.getLogger("api").info("Never.")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"] == "Once."
