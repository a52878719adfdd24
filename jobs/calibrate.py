"""Fitting the estimator to this recogniser and this sound from the command line."""

from collections.abc import Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from jobs.console import ProgressLine, print_json, print_problem, print_table, say
from jobs.evaluate import ManifestRow, read_manifest
from qe_core.asr.base import Engine
from qe_core.audio import decode
from qe_core.config import load_settings
from qe_core.corpus.examples import TrainingExample
from qe_core.errors import TrainingError, WerkbenchError
from qe_core.estimation.adaptation import Accuracy
from qe_core.pipeline import assess, depth_of
from qe_core.text import normalise
from workbench import adapt, preferences
from workbench.adapt import AdaptOutcome
from workbench.runtime import Runtime

__all__ = ["calibrate_estimator"]

_MAX_PROBLEMS = 5


def calibrate_estimator(manifest: Path | None, *, limit: int | None, as_json: bool) -> bool:
    """Transcribe a manifest with references and adapt the estimator that serves to it.

    Args:
        manifest: JSON Lines with ``audio_filepath``, ``text`` and, where known, ``speaker`` and
            ``source``; the corrections of the review desk by default
        limit: at most this many clips, from the beginning
        as_json: one JSON object instead of a table

    Returns:
        whether it passed the gate: it serves now, or is tried on new clips first

    Raises:
        TrainingError: the manifest has faults, or nothing to learn from
        EngineError: the recogniser cannot be loaded
    """
    rows = None if manifest is None else list(islice(_checked(manifest), limit))
    runtime = Runtime(load_settings())
    try:
        progress = ProgressLine("recogniser")
        resolved = runtime.engine(progress)
        progress.clear()
        say(resolved.why)
        if rows is None or manifest is None:
            finished = adapt.run(runtime, limit=limit)
        else:
            examples = _transcribe(runtime, resolved.engine, rows, manifest)
            finished = adapt.calibrate(
                runtime, resolved.engine, examples, origin=str(manifest.resolve())
            )
        _print(finished, as_json=as_json)
        return finished.gate.passed
    finally:
        runtime.close()


def _checked(manifest: Path) -> list[ManifestRow]:
    """All rows of a manifest without a fault.

    Raises:
        TrainingError: a file is missing or a text empty; names the lines
    """
    rows = list(read_manifest(manifest))
    problems = [
        problem
        for row in rows
        for problem in (
            None if row.audio.is_file() else f"line {row.line}: {row.audio} is not there",
            None if normalise(row.reference) else f"line {row.line}: its text has no words",
        )
        if problem is not None
    ]
    if problems:
        more = len(problems) - _MAX_PROBLEMS
        shown = "; ".join(problems[:_MAX_PROBLEMS]) + (f"; {more} more" if more > 0 else "")
        raise TrainingError(
            f"{manifest}: {shown}.",
            suggestion="Mend these lines or take them out; paths may be relative to the manifest.",
        )
    return rows


def _transcribe(
    runtime: Runtime, engine: Engine, rows: Sequence[ManifestRow], manifest: Path
) -> list[TrainingExample]:
    settings = preferences.get(runtime)
    estimator = runtime.estimator((engine.name, engine.model))
    second = runtime.second_engine() if depth_of(estimator) == "thorough" else None
    progress = ProgressLine(manifest.name)
    examples: list[TrainingExample] = []
    for number, row in enumerate(rows):
        progress(number / len(rows), f"clip {number + 1} of {len(rows)}")
        try:
            audio = decode(row.audio, name=row.audio.name, limits=settings.audio)
            assessment = assess(audio, engine, estimator, settings=settings, second=second)
        except WerkbenchError as error:
            progress.clear()
            say(f"Line {row.line} is left out.")
            print_problem(error)
            continue
        examples.append(
            TrainingExample(
                features=assessment.features,
                reference=row.reference,
                transcript=assessment.transcript,
                duration_s=audio.duration_s,
                group=row.group,
                source=row.source,
                id=f"{manifest.name}:{row.line}",
                second=assessment.second,
            )
        )
    progress.clear()
    return examples


_VERDICTS = {
    "promoted": "serves now",
    "on trial": "is tried on new clips before it serves",
    "refused": "was refused; what served before serves",
}


def _print(finished: AdaptOutcome, *, as_json: bool) -> None:
    adaptation, judgement = finished.adaptation, finished.judgement
    if as_json:
        print_json({**asdict(finished), "progress": adaptation.progress})
        return
    say(f"{adaptation.progress}. On clips that it was not fitted on:")
    lines = (("before", judgement.before), ("after", judgement.after))
    print_table(
        ("", "mae", "coverage", "width", "predicted WER", "WER"),
        [(name, *_cells(accuracy)) for name, accuracy in lines],
    )
    for condition in finished.gate.conditions:
        say(f"{'✓' if condition.passed else '✗'} {condition.text}")
    say(f"{finished.estimator} {_VERDICTS[finished.verdict]}.")


def _cells(accuracy: Accuracy) -> tuple[str, ...]:
    return (
        f"{accuracy.mae:.3f}",
        f"{accuracy.coverage:.0%}",
        "–" if accuracy.interval_width is None else f"{accuracy.interval_width:.3f}",
        f"{accuracy.predicted_pooled_wer:.3f}",
        f"{accuracy.pooled_wer:.3f}",
    )
