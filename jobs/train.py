"""Training the estimators that ship with Werkbench."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from jobs.console import ProgressLine, print_table, say
from jobs.corpus import make_corpus
from jobs.dataset import DatasetPlan, fetch_dataset
from jobs.evaluate import FIGURES
from qe_core.config import load_settings
from qe_core.corpus.plan import CorpusPlan
from qe_core.errors import ConfigError
from qe_core.estimation.builtin import Sources, build
from qe_core.estimation.builtin_any import build_any
from qe_core.estimation.report import Line
from qe_core.features import Depth

__all__ = ["recognise_dataset", "train_builtin", "train_for_any"]

_DIGITS = 3


def recognise_dataset(plan: DatasetPlan, noises: Path | None, out_dir: Path) -> Path:
    """Fetch a data set, degrade and transcribe it; started again, it goes on where it stopped.

    Args:
        plan: which clips
        noises: manifest of noises and rooms
        out_dir: gets ``dataset/`` and ``corpus/``

    Returns:
        path of ``recognised.jsonl``

    Raises:
        ConfigError: no noises are given, or the hub cannot be reached
        TrainingError: the data set cannot be read
    """
    if noises is None:
        raise ConfigError(
            "A data set is degraded before it is learnt from, and no noises are given.",
            suggestion="Give --noises: JSON Lines with audio_filepath, label, kind (noise or rir).",
        )
    speech = fetch_dataset(plan, out_dir / "dataset")
    corpus = CorpusPlan(manifest=speech, noise_manifest=noises, copies={}, limits={})
    return make_corpus(corpus, out_dir / "corpus", engine=None, num_processes=2)


def train_builtin(sources: Sources, out_dir: Path, *, seed: int | None, depth: Depth) -> None:
    """Train the estimator of a corpus's engine and the audio-only one; print their figures.

    Args:
        sources: what ``werkbench corpus`` and ``werkbench recognise`` wrote
        out_dir: gets one folder per estimator
        seed: of all random draws; ``retrain.seed`` of the settings by default
        depth: which features the estimator of transcripts looks at

    Raises:
        TrainingError: too few clips, several engines, or an estimator that ranks too badly
    """
    progress = ProgressLine(sources.recognised.name)
    seed = load_settings().retrain.seed if seed is None else seed
    built = build(sources, out_dir, seed=seed, depth=depth, on_progress=progress)
    progress.clear()
    for result in built:
        say(f"{result.estimator.manifest.id} is in {result.folder}. On speakers it never heard:")
        _print(result.held_out)


def train_for_any(
    recognised: Sequence[Path],
    out_dir: Path,
    *,
    seed: int | None,
    second: Path | None,
    depth: Depth,
) -> None:
    """Train the estimator for recognisers that have none of their own; print its figures.

    Args:
        recognised: what ``werkbench corpus`` and ``werkbench recognise`` wrote
        out_dir: gets its folder
        seed: of all random draws; ``retrain.seed`` of the settings by default
        second: a second opinion on the same clips
        depth: which features it looks at

    Raises:
        TrainingError: too few clips or recognisers, or it ranks too badly
    """
    progress = ProgressLine("any recogniser")
    seed = load_settings().retrain.seed if seed is None else seed
    built = build_any(
        recognised, out_dir, seed=seed, second=second, depth=depth, on_progress=progress
    )
    progress.clear()
    say(f"{built.estimator.manifest.id} is in {built.folder}. On recognisers it never saw:")
    _print(built.others)


def _print(lines: Iterable[Line]) -> None:
    print_table(
        ("", *FIGURES),
        [
            (line.name, *(_shown(getattr(line.metrics, figure)) for figure in FIGURES))
            for line in lines
        ],
    )


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.{_DIGITS}f}".rstrip("0").rstrip(".")
