"""Training our own small Whisper from scratch, in one go that can be interrupted."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from jobs.console import ProgressLine, print_table, say
from qe_core.errors import TrainingError
from qe_core.recogniser.measure import Report, measure
from qe_core.recogniser.speech import (
    SpeechPlan,
    build_speech,
    load_noises,
    load_speech,
    texts_of,
)
from qe_core.recogniser.tokens import Tokens, train_tokenizer

__all__ = ["Budget", "measure_recogniser", "print_report", "train_recogniser"]

# Recognisers of different skill: converted when this share of the training is done.
_STAGES = (0.1, 0.2, 0.35, 0.6, 1.0)


@dataclass(frozen=True, slots=True)
class Budget:
    """How long to train, and on how many threads and processes."""

    minutes: float
    steps: int | None
    num_processes: int


def train_recogniser(plan: SpeechPlan, out: Path, budget: Budget) -> Path:
    """Make speech, train and convert; started again, it goes on where it stopped.

    Args:
        plan: what speech to make
        out: gets ``speech/``, ``tokenizer.json``, ``state.pt``, ``curve.jsonl``, ``curve.png``,
            ``stages/<percent>/`` with model and checkpoint
        budget: training time and processes

    Returns:
        folder of the last stage

    Raises:
        TrainingError: PyTorch, a synthesiser or a manifest is missing
    """
    _require_torch()
    from qe_core.recogniser.export import convert_checkpoint, save_checkpoint
    from qe_core.recogniser.fit import FitSettings, Training
    from qe_core.recogniser.windows import WindowMaker

    progress = ProgressLine("recogniser")
    build_speech(
        plan,
        out / "speech",
        num_processes=budget.num_processes,
        on_progress=lambda done, total: progress(done / total, f"speech {done} of {total}"),
    )
    tokenizer = out / "tokenizer.json"
    if not tokenizer.is_file():
        train_tokenizer(texts_of(plan)).save(str(tokenizer))
    tokens = Tokens.load(tokenizer)
    noises = load_noises(plan.noise_manifest, held_out=False) if plan.noise_manifest else []
    maker = WindowMaker(load_speech(out / "speech"), noises, tokens, seed=plan.seed)
    training = Training(
        out, maker, tokens, FitSettings(minutes=budget.minutes, steps=budget.steps, seed=plan.seed)
    )
    for stage in _STAGES:
        folder = out / "stages" / f"{stage:.0%}".rstrip("%")
        if (folder / "model").is_dir():
            continue
        training.run(
            until=stage,
            on_point=lambda share, point: progress(
                share, f"{point.minutes:.0f} min, loss {point.loss:.2f}"
            ),
        )
        save_checkpoint(training.network, tokens, folder / "checkpoint")
        convert_checkpoint(folder / "checkpoint", folder / "model")
        _draw_curve([asdict(point) for point in training.curve], out / "curve.png")
    progress.clear()
    say(f"{folder} is complete.")
    return folder


def measure_recogniser(folder: Path, plan: SpeechPlan) -> None:
    """Measure a trained stage on held-out speech, print the table and keep it as ``report.json``.

    Raises:
        EngineError: the folder does not hold a usable model
        TrainingError: a synthesiser or a manifest is missing
    """
    report = measure(folder / "model", manifest=plan.manifest, noise_manifest=plan.noise_manifest)
    (folder / "report.json").write_text(json.dumps(asdict(report), indent=1), encoding="utf-8")
    print_report(report)


def print_report(report: Report) -> None:
    """Print a report as a table."""
    rows = [
        [
            row.group,
            row.name,
            str(row.num_clips),
            "–" if row.counts.wer is None else f"{row.counts.wer:.3f}",
            str(row.counts.substitutions),
            str(row.counts.deletions),
            str(row.counts.insertions),
            str(row.num_words_written),
        ]
        for row in report.conditions
    ]
    print_table(["group", "name", "clips", "WER", "S", "D", "I", "words"], rows)
    say(
        f"{report.size_bytes / 1e6:.1f} MB; real-time factor {report.real_time_factor:.3f} on a "
        f"long recording, {report.real_time_factor_short:.3f} on single sentences (one thread); "
        f"peak memory {report.peak_memory_bytes / 1e6:.0f} MB"
    )


def _require_torch() -> None:
    try:
        import matplotlib as _matplotlib  # noqa: F401  only asked for here
        import torch as _torch  # noqa: F401  only asked for here
        import transformers as _transformers  # noqa: F401  only asked for here
    except ImportError as error:
        raise TrainingError(
            f"Training a recogniser needs {error.name}.",
            suggestion="Install it: pip install 'werkbench[finetune]'.",
        ) from error


def _draw_curve(points: Sequence[dict[str, float]], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    minutes = [point["minutes"] for point in points]
    for name, label in (
        ("tokens", "tokens (cross-entropy)"),
        ("ctc", "phones (CTC)"),
        ("phones", "phone per frame"),
        ("attention", "attention on the word"),
    ):
        axes.plot(minutes, [point[name] for point in points], label=label)
    axes.set(xlabel="training time in minutes", ylabel="loss in nats", ylim=(0, 6))
    axes.set_title("Loss of the small Whisper; harder windows come in after 30 % of the time")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)
