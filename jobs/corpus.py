"""Building a corpus of transcribed, degraded speech."""

from collections.abc import Callable, Sequence
from pathlib import Path

from jobs.console import ProgressLine, say
from qe_core.config import EngineSettings, load_settings
from qe_core.corpus.build import build_corpus, recognise_again
from qe_core.corpus.plan import CorpusPlan
from qe_core.errors import ConfigError

__all__ = ["make_corpus", "parse_counts", "recognise_corpus"]


def make_corpus(plan: CorpusPlan, out_dir: Path, *, engine: str | None, num_processes: int) -> Path:
    """Degrade and transcribe every clip of a plan; started again, it goes on where it stopped.

    Args:
        plan: what to take and how often
        out_dir: gets ``audio/`` and ``recognised.jsonl``
        engine: which recogniser; that of the settings by default
        num_processes: recognisers at work at the same time

    Returns:
        path of ``recognised.jsonl``

    Raises:
        TrainingError: a manifest cannot be read or names no clip
    """
    return _with_progress(
        out_dir,
        lambda tell: build_corpus(
            plan,
            out_dir,
            engine=_engine(engine),
            num_processes=num_processes,
            on_progress=tell,
        ),
    )


def recognise_corpus(
    recognised: Path, out_dir: Path, *, engine: str | None, limit: int | None, num_processes: int
) -> Path:
    """Let another recogniser write the audio of a corpus; it goes on where it stopped.

    Args:
        recognised: ``recognised.jsonl`` of a corpus
        out_dir: gets a ``recognised.jsonl``, too
        engine: which recogniser; that of the settings by default
        limit: at most so many clips; all by default
        num_processes: recognisers at work at the same time

    Returns:
        path of the new ``recognised.jsonl``

    Raises:
        TrainingError: there is no clip
    """
    return _with_progress(
        out_dir,
        lambda tell: recognise_again(
            recognised,
            out_dir,
            engine=_engine(engine),
            limit=limit,
            num_processes=num_processes,
            on_progress=tell,
        ),
    )


def _engine(name: str | None) -> EngineSettings:
    settings = load_settings().engine
    return settings if name is None else settings.model_copy(update={"name": name})


def _with_progress(out_dir: Path, work: Callable[[Callable[[int, int], None]], Path]) -> Path:
    progress = ProgressLine(str(out_dir))
    result = work(lambda done, total: progress(done / total, f"{done} of {total} clips"))
    progress.clear()
    say(f"{result} is complete.")
    return result


def parse_counts(items: Sequence[str], *, option: str) -> dict[str, int]:
    """Read ``source=3`` pairs of the command line.

    Examples:
        >>> parse_counts(["an4=3", "ljspeech=1"], option="--copies")
        {'an4': 3, 'ljspeech': 1}
    """
    counts: dict[str, int] = {}
    for item in items:
        source, _, number = item.partition("=")
        if not source or not number.isdecimal():
            raise ConfigError(
                f"{option} {item!r}: not a pair of a source and a number.",
                suggestion=f"Write it like {option} an4=3.",
            )
        counts[source] = int(number)
    return counts
