"""Comparing predicted with actual errors on clips whose references are known."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from jobs.console import ProgressLine, print_json, print_problem, print_table, say
from jobs.tools import open_engine, open_estimator, open_second, settings_for
from qe_core.audio import decode
from qe_core.corpus.examples import TrainingExample
from qe_core.errors import TrainingError, WerkbenchError
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.evaluation import Metrics, Scores, evaluate
from qe_core.estimation.scoring import baselines_of, truth_of
from qe_core.estimation.table import TrainingTable
from qe_core.pipeline import assess
from qe_core.types import Assessment

__all__ = ["FIGURES", "ManifestRow", "evaluate_manifest", "read_manifest"]

FIGURES = (
    "spearman",
    "pearson",
    "mae",
    "rmse",
    "er20",
    "er20_oracle",
    "ner20",
    "coverage",
    "num_clips",
    "pooled_wer",
)
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """A clip with its reference.

    Args:
        audio: where it lies
        reference: human truth
        group: speaker, or the clip itself where none is named
        source: data set or intake channel
        line: where it stands in the manifest, from 1
    """

    audio: Path
    reference: str
    group: str
    source: str
    line: int


def evaluate_manifest(
    manifest: Path, *, engine: str | None, limit: int | None, estimator: Path | None, as_json: bool
) -> None:
    """Transcribe a manifest with references; print figures of the estimator and the baselines.

    Args:
        manifest: JSON Lines with ``audio_filepath`` and ``text``
        engine: which recogniser; that of the settings by default
        limit: at most this many clips, from the beginning
        estimator: folder of an estimator; the built-in one for the engine by default
        as_json: one JSON object per line instead of a table

    Raises:
        TrainingError: the manifest cannot be read, or none of its clips can be assessed
        EngineError: the recogniser cannot be loaded
    """
    rows = list(islice(read_manifest(manifest), limit))
    settings = settings_for(engine)
    loaded = open_engine(settings)
    judge = open_estimator(estimator, loaded, settings)
    second = open_second(judge, settings)
    examples: list[TrainingExample] = []
    assessments: list[Assessment] = []
    progress = ProgressLine(manifest.name)
    for number, row in enumerate(rows):
        progress(number / len(rows), f"clip {number + 1} of {len(rows)}")
        try:
            audio = decode(row.audio, name=row.audio.name, limits=settings.audio)
            assessment = assess(audio, loaded, judge, settings=settings, second=second)
        except WerkbenchError as error:
            progress.clear()
            print_problem(error)
            continue
        assessments.append(assessment)
        examples.append(_example(row, assessment, audio.duration_s))
    progress.clear()
    if not examples:
        raise TrainingError(
            f"{manifest}: none of its clips could be assessed.",
            suggestion="Read the messages above; check the paths in the manifest.",
        )
    if len(examples) < len(rows):
        say(f"{len(rows) - len(examples)} of {len(rows)} clips were left out.")
    _print(_compare(judge, examples, assessments), as_json=as_json)


def read_manifest(path: Path) -> Iterator[ManifestRow]:
    """Clips of a manifest; their paths may be relative to it.

    Raises:
        TrainingError: it cannot be read, a line is no JSON, or a line lacks a key
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _bad_manifest(path, f"cannot be read ({error})") from error
    if not any(line.strip() for line in lines):
        raise _bad_manifest(path, "names no clip")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record: dict[str, Any] = json.loads(line)
            audio, reference = str(record["audio_filepath"]), str(record["text"])
        except (ValueError, KeyError, TypeError) as error:
            raise _bad_manifest(path, f"line {number} is not usable ({error!r})") from error
        group = str(record.get("speaker", audio))
        source = str(record.get("source", "manifest"))
        yield ManifestRow(path.parent / audio, reference, group, source, number)


def _bad_manifest(path: Path, problem: str) -> TrainingError:
    return TrainingError(
        f"{path}: {problem}.",
        suggestion="Give a JSON Lines file with audio_filepath and text in every line.",
    )


def _example(row: ManifestRow, assessment: Assessment, duration_s: float) -> TrainingExample:
    return TrainingExample(
        features=assessment.features,
        reference=row.reference,
        transcript=assessment.transcript,
        duration_s=duration_s,
        group=row.group,
        source="manifest",
    )


def _compare(
    judge: Estimator, examples: list[TrainingExample], assessments: list[Assessment]
) -> Mapping[str, Metrics]:
    table = TrainingTable.from_examples(
        examples, schema=assessments[0].feature_schema, normaliser=judge.manifest.normaliser
    )
    truth = truth_of(table)
    # What the pages would show, not what the bare model says.
    estimates = [assessment.estimate for assessment in assessments]
    scores = {
        "estimator": Scores(
            wer=np.array([estimate.predicted_wer for estimate in estimates], np.float32),
            errors=np.array([estimate.expected_errors for estimate in estimates], np.float32),
            low=np.array([estimate.low for estimate in estimates], np.float32),
            high=np.array([estimate.high for estimate in estimates], np.float32),
        ),
        **baselines_of(judge, table),
    }
    return {name: evaluate(truth, score) for name, score in scores.items()}


def _print(results: Mapping[str, Metrics], *, as_json: bool) -> None:
    records = [
        {"name": name, **{key: _rounded(getattr(metrics, key)) for key in FIGURES}}
        for name, metrics in results.items()
    ]
    if as_json:
        for record in records:
            print_json(record)
        return
    print_table(
        ("", *FIGURES),
        [["–" if value is None else str(value) for value in record.values()] for record in records],
    )


def _rounded(value: float | None) -> float | int | None:
    return value if value is None or isinstance(value, int) else round(float(value), _DIGITS)
