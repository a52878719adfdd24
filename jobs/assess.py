"""Assessing files without a database: transcript, predicted WER, flag."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jobs.console import ProgressLine, print_json, print_problem, print_table, say
from jobs.push import BatchRun, push_run
from jobs.tools import open_engine, open_estimator, open_second, settings_for
from qe_core.asr.base import Engine
from qe_core.audio import decode
from qe_core.config import Settings
from qe_core.errors import WerkbenchError
from qe_core.estimation.estimator import Estimator
from qe_core.pipeline import assess
from qe_core.types import Assessment
from workbench.exchange import segment_records, word_records

__all__ = ["assess_files"]

_HEADER = ("file", "seconds", "predicted WER", "flag", "text")


def assess_files(
    files: Sequence[Path], *, engine: str | None, estimator: Path | None, as_json: bool
) -> int:
    """Assess files one after the other and print what was found, in the order given.

    Args:
        files: audio files of any format
        engine: which recogniser; that of the settings by default
        estimator: folder of an estimator; the built-in one for the engine by default
        as_json: one JSON object per line instead of a table

    Returns:
        how many files were refused

    Raises:
        WerkbenchError: no file can be assessed, e.g. because the engine cannot be loaded
    """
    settings = settings_for(engine)
    loaded = open_engine(settings)
    judge = open_estimator(estimator, loaded, settings)
    second = open_second(judge, settings)
    rows: list[tuple[str, ...]] = []
    run = BatchRun()
    for number, file in enumerate(files, start=1):
        progress = ProgressLine(f"[{number}/{len(files)}] {file.name}")
        try:
            assessment, duration_s = _assess(file, (loaded, second), judge, settings, progress)
        except WerkbenchError as error:
            run.num_refused += 1
            progress.clear()
            if as_json:
                print_json(
                    {
                        "audio_filepath": str(file),
                        "error": error.message,
                        "suggestion": error.suggestion,
                    }
                )
            else:
                print_problem(error)
            continue
        progress.clear()
        threshold = settings.review.threshold
        run.add(
            assessment.estimate.predicted_wer,
            duration_s,
            is_flagged=assessment.is_flagged(threshold),
        )
        if as_json:
            print_json(_record(file, duration_s, assessment, threshold))
        else:
            rows.append(_row(file, duration_s, assessment, threshold))
    if rows:
        print_table(_HEADER, rows)
    if run.num_refused and not as_json:
        say(f"{run.num_refused} of {len(files)} files were refused.")
    push_run(settings.metrics.pushgateway_url, run)
    return run.num_refused


def _assess(
    file: Path,
    engines: tuple[Engine, Engine | None],
    estimator: Estimator,
    settings: Settings,
    progress: ProgressLine,
) -> tuple[Assessment, float]:
    engine, second = engines
    audio = decode(file, name=file.name, limits=settings.audio, on_progress=progress)
    assessment = assess(
        audio, engine, estimator, settings=settings, second=second, on_progress=progress
    )
    return assessment, audio.duration_s


def _record(
    file: Path, duration_s: float, assessment: Assessment, threshold: float
) -> dict[str, Any]:
    transcript, estimate = assessment.transcript, assessment.estimate
    return {
        "audio_filepath": str(file),
        "duration": round(duration_s, 3),
        "engine": transcript.engine,
        "model": transcript.model,
        "language": transcript.language,
        "text": transcript.text,
        "predicted_wer": round(estimate.predicted_wer, 4),
        "predicted_wer_low": round(estimate.low, 4),
        "predicted_wer_high": round(estimate.high, 4),
        "flagged": assessment.is_flagged(threshold),
        "reasons": [reason.text for reason in estimate.reasons],
        "segments": segment_records(transcript, estimate),
        "words": word_records(transcript, estimate),
    }


def _row(
    file: Path, duration_s: float, assessment: Assessment, threshold: float
) -> tuple[str, ...]:
    estimate = assessment.estimate
    return (
        file.name,
        f"{duration_s:.1f}",
        f"{estimate.predicted_wer:.2f} ({estimate.low:.2f}–{estimate.high:.2f})",
        "review" if assessment.is_flagged(threshold) else "",
        assessment.transcript.text,
    )
