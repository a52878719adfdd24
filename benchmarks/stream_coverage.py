"""Whether the interval of the stream's WER holds what it promises, on real clips.

    python -m benchmarks.stream_coverage [--audits 1000] [--model FOLDER]

The clips that the built-in estimator was not trained on, with their true errors, are dealt out
again by whole recordings into streams whose WER is known. Every simulated audit draws some of a
stream's clips uniformly, once alone and once from the review queue, which takes the worst clips
out of the stream while it draws. Prints how often the 95 % interval covers the truth, how much
narrower it is than the one from the audits alone, and what the variances promise; exit code 1 when
coverage leaves 93-97 %, or the promise is missed by more than a tenth.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from qe_core.config import ReviewSettings, bundled_path
from qe_core.estimation.builtin import examples_of
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.scoring import counts_of
from qe_core.estimation.table import TrainingTable
from qe_core.monitoring.sampling import errors_per_second, pick_policy
from qe_core.monitoring.stream import StreamWer, stream_wer

SEED = 20260101
NUM_RECORDINGS = 600
SIZES = (40, 100, 200)
COVERAGE = (0.93, 0.97)
MAX_MISS = 0.10

Values = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Clips:
    """Clips with their truth and the estimate of an estimator that does not know them."""

    predicted_errors: Values
    predicted_words: Values
    errors: Values
    words: Values
    duration_s: Values
    recordings: npt.NDArray[np.str_]

    @property
    def wer(self) -> float:
        """Pooled."""
        return float(self.errors.sum() / self.words.sum())

    def take(self, rows: Rows, recordings: npt.NDArray[np.str_]) -> "Clips":
        """Some clips, said to come from these recordings."""
        return Clips(
            self.predicted_errors[rows],
            self.predicted_words[rows],
            self.errors[rows],
            self.words[rows],
            self.duration_s[rows],
            recordings,
        )


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--audits", type=int, default=1000, help="simulated audits per line")
    parser.add_argument(
        "--model", type=Path, default=bundled_path("models", "quality-pocketsphinx-en-us")
    )
    arguments = parser.parse_args()
    rng = np.random.default_rng(SEED)
    clips = held_out(arguments.model)
    print(f"{len(clips.errors)} held-out clips, {len(np.unique(clips.recordings))} recordings")
    print(f"streams of {NUM_RECORDINGS} recordings, {arguments.audits} simulated audits per line\n")
    print("| drawn | audits | coverage | of audits alone | width | ratio of widths | promised |")
    print("|---|---|---|---|---|---|---|")
    is_good = [
        _line(clips, size, with_queue, arguments.audits, rng)
        for with_queue in (False, True)
        for size in SIZES
    ]
    if not all(is_good):
        raise SystemExit("The interval does not hold what it promises.")


def held_out(folder: Path) -> Clips:
    """The examples beside an estimator that it was not trained on."""
    estimator = Estimator.load(folder)
    table = TrainingTable.load(examples_of(folder))
    table = table.select(table.is_held_out)
    predicted = counts_of(estimator, table)
    return Clips(
        predicted_errors=predicted.errors.astype(np.float64),
        predicted_words=predicted.words.astype(np.float64),
        errors=table.num_errors.astype(np.float64),
        words=table.num_reference_words.astype(np.float64),
        duration_s=table.duration_s.astype(np.float64),
        recordings=table.group,
    )


def _line(
    clips: Clips, size: int, with_queue: bool, num_audits: int, rng: np.random.Generator
) -> bool:
    covered, covered_alone, widths, ratios = [], [], [], []
    draw = _queue_draws if with_queue else _uniform_draws
    for _ in range(num_audits):
        stream = stream_of(clips, rng)
        audits, others = draw(stream, size, rng)
        found = _estimate(stream, audits, others)
        covered.append(found.combined.low <= clips.wer <= found.combined.high)
        covered_alone.append(found.classical.low <= clips.wer <= found.classical.high)
        widths.append(found.combined.width)
        ratios.append(found.combined.width / found.classical.width)
    promised = _promised_ratio(clips, size)
    coverage, ratio = float(np.mean(covered)), float(np.median(ratios))
    print(
        f"| {'by the review queue' if with_queue else 'alone'} | {size} | {coverage:.1%} "
        f"| {np.mean(covered_alone):.1%} | {100 * np.median(widths):.1f} points "
        f"| {ratio:.2f} | {promised:.2f} |",
        flush=True,
    )
    # Clips that the queue took out are known, so its intervals are narrower than promised.
    is_as_promised = with_queue or abs(ratio / promised - 1) <= MAX_MISS
    return COVERAGE[0] <= coverage <= COVERAGE[1] and is_as_promised


def stream_of(clips: Clips, rng: np.random.Generator) -> Clips:
    """Recordings drawn with replacement; each drawn one is a recording of its own."""
    names, owner = np.unique(clips.recordings, return_inverse=True)
    members = np.split(np.argsort(owner, kind="stable"), np.cumsum(np.bincount(owner))[:-1])
    drawn = [members[index] for index in rng.integers(len(names), size=NUM_RECORDINGS)]
    labels = np.repeat(np.arange(NUM_RECORDINGS), [len(rows) for rows in drawn])
    return clips.take(np.concatenate(drawn), labels.astype(np.str_))


def _uniform_draws(stream: Clips, size: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
    return rng.permutation(len(stream.errors))[:size], np.array([], np.intp)


def _queue_draws(stream: Clips, size: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """As the desk draws: mostly the worst, some uniformly, none twice."""
    yields = errors_per_second(stream.predicted_errors, stream.duration_s)
    waiting = np.ones(len(yields), bool)
    audits: list[int] = []
    others: list[int] = []
    settings = ReviewSettings()
    while len(audits) < size and waiting.sum() > size:
        if pick_policy(settings, rng) == "audit":
            chosen = int(rng.choice(np.flatnonzero(waiting)))
            audits.append(chosen)
        else:
            chosen = int(np.argmax(np.where(waiting, yields, -1.0)))
            others.append(chosen)
        waiting[chosen] = False
    return np.array(audits, np.intp), np.array(others, np.intp)


def _estimate(stream: Clips, audits: Rows, others: Rows) -> StreamWer:
    is_reviewed = np.zeros(len(stream.errors), bool)
    is_reviewed[others] = True
    is_audit = np.zeros(len(stream.errors), bool)
    is_audit[audits] = True
    is_reviewed |= is_audit
    found = stream_wer(
        predicted_errors=stream.predicted_errors,
        predicted_words=stream.predicted_words,
        errors=np.where(is_reviewed, stream.errors, np.nan),
        words=np.where(is_reviewed, stream.words, np.nan),
        is_audit=is_audit,
        recordings=stream.recordings,
    )
    if not isinstance(found, StreamWer):
        raise SystemExit(f"Too few audits to tell: {found}")
    return found


def _promised_ratio(clips: Clips, size: int) -> float:
    """Sqrt of (var(y - ŷ)/n + var(ŷ)/N) / (var(y)/n), arXiv 2301.09633 eq. 2, for a ratio.

    A few audits out of thousands of clips hardly ever share a recording; the clips of the stream
    do, so the mean of their estimates is as sure as that of so many recordings.
    """
    truth = clips.errors - clips.wer * clips.words
    guess = clips.predicted_errors - clips.wer * clips.predicted_words
    _, owner = np.unique(clips.recordings, return_inverse=True)
    by_recording = np.bincount(owner, guess)
    num_clips = NUM_RECORDINGS * len(truth) / len(by_recording)
    of_stream = NUM_RECORDINGS * np.var(by_recording) / num_clips**2
    combined = np.var(truth - guess) / size + of_stream
    return float(np.sqrt(combined / (np.var(truth) / size)))


if __name__ == "__main__":
    main()
