"""Whether corrections were made by listening: what they agree with, person by person.

Poisoned corrections and poisoned audits praise each other, and texts that read naturally are no
better than random ones when they belong to other clips. What nobody can write without listening is
a correction that keeps the words that were right and changes those that were wrong. The serving
estimator knows, if roughly, which are which.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qe_core.config import RetrainSettings
from qe_core.estimation.bootstrap import Interval, Rows, bootstrap
from qe_core.estimation.evaluation import Scores
from qe_core.estimation.table import TrainingTable

__all__ = ["Agreement", "agreements"]

# What the serving estimator is sure of, as probability that a word is wrong.
_SURE, _DOUBTFUL = 0.15, 0.7
_MIN_WORDS = 20
_MIN_CLIPS = 20
# Where all corrections are about as long, their length says nothing.
_MIN_SPREAD = 0.3

DoubleArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Agreement:
    """What corrections agree with, each with its interval; ``None`` where too little is known.

    Args:
        who: whose corrections, ``None`` for all together
        num_clips: clips that were corrected
        sure_changed: share of the words, of those that the serving estimator takes for right, that
            the corrections changed
        doubtful_changed: the same of those that it takes for wrong
        length: correlation between the lengths of corrections and transcripts, as logarithms
    """

    who: str | None
    num_clips: int
    sure_changed: Interval | None
    doubtful_changed: Interval | None
    length: Interval | None


def agreements(
    reviews: TrainingTable,
    scores: Scores,
    reviewers: Sequence[str],
    *,
    settings: RetrainSettings,
    num_draws: int = 300,
) -> tuple[Agreement, ...]:
    """Compare corrections with what the serving estimator says about every word.

    Args:
        reviews: corrected clips
        scores: what the serving estimator says about them
        reviewers: who corrected each clip
        settings: level of the intervals and the seed
        num_draws: resamples of whole recordings

    Returns:
        of all corrections together, then of every person with enough of them, by name
    """
    names = np.asarray(reviewers, np.str_)
    people, counts = np.unique(names, return_counts=True)
    several = [name for name, count in zip(people, counts, strict=True) if count >= _MIN_CLIPS]
    chosen: list[tuple[str | None, Rows]] = [(None, np.arange(reviews.num_clips))]
    chosen += [(str(name), np.flatnonzero(names == name)) for name in several]
    evidence = _Evidence.of(reviews, scores)

    def interval(figure: "_Figure", rows: Rows) -> Interval | None:
        if not figure.is_known(rows):
            return None
        return bootstrap(
            lambda drawn: figure.of(rows[drawn]),
            reviews.group[rows],
            num_draws=num_draws,
            level=settings.gate_level,
            seed=settings.seed,
        )

    return tuple(
        Agreement(
            who=who,
            num_clips=len(rows),
            sure_changed=interval(evidence.sure, rows),
            doubtful_changed=interval(evidence.doubtful, rows),
            length=interval(evidence.length, rows),
        )
        for who, rows in chosen
        if len(rows) >= _MIN_CLIPS
    )


@dataclass(frozen=True, slots=True)
class _Share:
    """Changed words among those of a kind, per clip."""

    num_words: DoubleArray
    num_changed: DoubleArray

    def is_known(self, rows: Rows) -> bool:
        return bool(self.num_words[rows].sum() >= _MIN_WORDS)

    def of(self, rows: Rows) -> float:
        return float(self.num_changed[rows].sum() / max(1.0, self.num_words[rows].sum()))


@dataclass(frozen=True, slots=True)
class _Length:
    """Logarithms of the lengths of corrections and transcripts, per clip."""

    corrected: DoubleArray
    written: DoubleArray

    def is_known(self, rows: Rows) -> bool:
        return bool(min(self.corrected[rows].std(), self.written[rows].std()) >= _MIN_SPREAD)

    def of(self, rows: Rows) -> float:
        one, other = self.corrected[rows], self.written[rows]
        spread = float(one.std() * other.std())
        return float(((one - one.mean()) * (other - other.mean())).mean() / max(spread, 1e-9))


_Figure = _Share | _Length


@dataclass(frozen=True, slots=True)
class _Evidence:
    sure: _Share
    doubtful: _Share
    length: _Length

    @classmethod
    def of(cls, reviews: TrainingTable, scores: Scores) -> "_Evidence":
        length = _Length(np.log1p(reviews.num_reference_words), np.log1p(reviews.hypothesis_words))
        wrong = scores.word_probabilities
        if wrong is None:
            none = np.zeros(reviews.num_clips)
            return cls(_Share(none, none), _Share(none, none), length)
        known = reviews.word_wrong >= 0
        return cls(
            _share(reviews, known & (wrong <= _SURE)),
            _share(reviews, known & (wrong >= _DOUBTFUL)),
            length,
        )


def _share(reviews: TrainingTable, words: npt.NDArray[np.bool_]) -> _Share:
    clips, changed = reviews.word_clip[words], reviews.word_wrong[words] == 1
    return _Share(
        np.bincount(clips, minlength=reviews.num_clips).astype(np.float64),
        np.bincount(clips, weights=changed, minlength=reviews.num_clips).astype(np.float64),
    )
