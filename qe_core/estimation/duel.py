"""A champion and a challenger on the same clips, which taught neither."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qe_core.config import RetrainSettings
from qe_core.estimation.bootstrap import Interval, Rows, bootstrap, paired_bootstrap
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.evaluation import Metrics, Scores, error_recall, evaluate, word_auc
from qe_core.estimation.scoring import score_table, truth_of
from qe_core.estimation.table import TrainingTable
from qe_core.estimation.training import Trained
from qe_core.estimation.trust import Agreement
from qe_core.estimation.words import WORD_FEATURES

__all__ = [
    "MIN_AUDITS",
    "Compared",
    "Duel",
    "SliceChange",
    "audits_that_teach",
    "compare",
    "judges",
    "sense_of",
]

_BUDGET = 0.2
# Of either kind, right and wrong: with fewer, chance says who was right.
_MIN_WORDS = 20
MIN_AUDITS = 10
"""Recordings whose audits are looked at alone."""


@dataclass(frozen=True, slots=True)
class SliceChange:
    """Two estimators on the clips that have something in common.

    Args:
        name: e.g. ``source: upload``
        num_clips: clips with words in it
        before: mean absolute error of the champion's WER
        after: the same of the challenger
        surely: by how much it rises at least, beyond chance; negative when it may fall
    """

    name: str
    num_clips: int
    before: float
    after: float
    surely: float

    @property
    def loss(self) -> float:
        """By how much the error rises; negative when it falls."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Compared:
    """What two estimators say about the same clips.

    Args:
        table: the clips; neither estimator has learnt from them
        champion: what the serving one predicts
        challenger: what the new one predicts, or trees of its cross-fitting that never saw them
    """

    table: TrainingTable
    champion: Scores
    challenger: Scores

    @classmethod
    def on(
        cls, table: TrainingTable, champion: Estimator, challenger: Estimator, *, level: float
    ) -> "Compared":
        """Ask both about clips, for intervals of a level."""
        return cls(
            table,
            score_table(champion, table, level=level),
            score_table(challenger, table, level=level),
        )


@dataclass(frozen=True, slots=True)
class Duel:
    """A champion and a challenger on the same clips, which taught neither.

    Args:
        champion: figures of the serving estimator
        challenger: figures of the new one
        interval_level: coverage that the intervals of both promise
        sense: how well it was known beforehand which words the corrections confirm, see
            :func:`sense_of`
        num_audits: clips that are audits; the others are the reference set
        num_recordings: what the bootstrap draws
        er20_gain: how much more of all errors the challenger finds in the first 20 % of audio
        mae_gain: by how much the mean error of the predicted WER falls
        audits_gain: the same on audits alone, which are of what comes in now, those that teach
            among them; ``None`` where there are too few
        num_teaching_audits: as many of these teach, judged by trees that never saw them
        coverage: share of true WERs inside the challenger's interval; ``None`` without any
        slices: both by source, language and condition, where there are enough clips
        too_small: slices that nothing is said about
        agreements: what the corrections that taught the challenger agree with, all together and
            person by person, see :func:`qe_core.estimation.trust.agreements`
    """

    champion: Metrics
    challenger: Metrics
    interval_level: float
    sense: float | None
    num_audits: int
    num_recordings: int
    er20_gain: Interval
    mae_gain: Interval
    coverage: Interval | None
    slices: tuple[SliceChange, ...]
    too_small: tuple[str, ...]
    audits_gain: Interval | None = None
    num_teaching_audits: int = 0
    agreements: tuple[Agreement, ...] = ()


def judges(recording: str, share: float) -> bool:
    """Whether the audits of a recording judge estimators and never teach them.

    Its name alone decides, for ever: a clip that judged one challenger has taught none before.

    Args:
        recording: its name
        share: expected share of the recordings that judge
    """
    digest = hashlib.sha256(f"held-out:{recording}".encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < share


def sense_of(reviews: TrainingTable, champion: Scores | None = None) -> float | None:
    """How well it was known beforehand which words corrections would confirm.

    Audits that were corrected in bad faith praise a challenger that learnt from more of the same.
    Random text cannot know which words looked right. What the serving estimator says of the words
    is asked, and the recogniser's confidence where it says nothing of them. Audits are asked where
    they hold enough words: in the clips that were chosen for being the worst, all words look alike.

    Args:
        reviews: corrected clips
        champion: what the serving estimator says about them

    Returns:
        the area under the curve; 0 when no word is confirmed, ``None`` when every word is or none
        is known
    """
    known = reviews.word_wrong >= 0
    audited = known & reviews.is_uniform_draw[reviews.word_clip]
    num_wrong = int((reviews.word_wrong[audited] == 1).sum())
    if min(num_wrong, int(audited.sum()) - num_wrong) >= _MIN_WORDS:
        known = audited
    wrong = reviews.word_wrong[known] == 1
    if not len(wrong) or not wrong.any():
        return None
    if champion is None or champion.word_probabilities is None:
        doubt = 1.0 - reviews.word_features[known, WORD_FEATURES.index("confidence")]
    else:
        doubt = champion.word_probabilities[known]
    return word_auc(wrong, doubt) or 0.0


def audits_that_teach(
    trained: Trained, champion: Estimator, is_new: npt.NDArray[np.bool_], *, level: float
) -> Compared | None:
    """Audits that taught the challenger, judged by trees of its cross-fitting that never saw them.

    Two dozen audits that are held out of 500 reviews cannot tell whether a challenger understands a
    new source; those that teach are twice as many.

    Args:
        trained: the challenger
        champion: serves now
        is_new: of every review that taught the challenger, whether the champion does not know it
        level: nominal coverage of the intervals

    Returns:
        what both say of them; ``None`` where there are none
    """
    rows = np.flatnonzero(trained.table.is_review)[is_new]
    rows = rows[trained.table.is_uniform_draw[rows]]
    if not len(rows):
        return None
    audits = trained.table.select(rows)
    return Compared(
        audits,
        score_table(champion, audits, level=level),
        Scores(trained.unseen.wer[rows], trained.unseen.errors[rows]),
    )


def compare(
    judged: Compared,
    *,
    settings: RetrainSettings,
    interval_level: float,
    sense: float | None = None,
    teaching_audits: Compared | None = None,
    num_draws: int = 1000,
) -> Duel:
    """Compare what two estimators say about the same clips.

    Args:
        judged: held-out audits and reference clips; only uniform draws say how good an estimator is
        settings: confidence of the comparison and the size of a slice
        interval_level: coverage that the intervals of both promise
        sense: of the corrections that taught the challenger, see :func:`sense_of`
        teaching_audits: audits that the champion does not know and the challenger learns from, with
            what is said of them by trees that never saw them
        num_draws: resamples of whole recordings

    Returns:
        figures, intervals of the differences from a paired bootstrap over recordings, and slices
    """
    table, both = judged.table, (judged.champion, judged.challenger)
    truth = truth_of(table)
    seconds = np.maximum(table.duration_s.astype(np.float64), 1e-3)
    words = table.num_reference_words
    has_words = words > 0
    actual = table.num_errors / np.maximum(words, 1)
    gaps = [np.abs(scores.wer - actual) * has_words for scores in both]
    yields = [scores.errors / seconds for scores in both]

    def er20(which: int, rows: Rows) -> float:
        return error_recall(truth.errors[rows], seconds[rows], yields[which][rows], _BUDGET)

    def mae(which: int, rows: Rows) -> float:
        return float(gaps[which][rows].sum() / max(1, has_words[rows].sum()))

    def gain(of: Callable[[int, Rows], float], better: int) -> Interval:
        return paired_bootstrap(
            lambda rows: of(better, rows),
            lambda rows: of(1 - better, rows),
            table.group,
            num_draws=num_draws,
            level=settings.gate_level,
            seed=settings.seed,
        )

    def change(name: str, rows: Rows) -> SliceChange:
        before, after = mae(0, rows), mae(1, rows)
        surely = after - before
        if surely > settings.max_slice_loss and len(rows) >= settings.min_slice_clips:
            surely = bootstrap(
                lambda drawn: mae(1, rows[drawn]) - mae(0, rows[drawn]),
                table.group[rows],
                num_draws=num_draws,
                level=settings.gate_level,
                seed=settings.seed,
            ).low
        return SliceChange(name, len(rows), before, after, surely)

    audits = [judged] if teaching_audits is None else [judged, teaching_audits]
    changes = [change(name, rows) for name, rows in _slices(table, has_words)]
    return Duel(
        champion=evaluate(truth, judged.champion),
        challenger=evaluate(truth, judged.challenger),
        interval_level=interval_level,
        sense=sense,
        num_audits=int(table.is_review.sum()),
        num_recordings=len(np.unique(table.group)),
        # More errors found is better, a smaller error is.
        er20_gain=gain(er20, 1),
        mae_gain=gain(mae, 0),
        audits_gain=_gain_on_audits(audits, settings, num_draws),
        num_teaching_audits=teaching_audits.table.num_clips if teaching_audits else 0,
        coverage=_coverage(table, judged.challenger, settings=settings, num_draws=num_draws),
        slices=tuple(item for item in changes if item.num_clips >= settings.min_slice_clips),
        too_small=tuple(item.name for item in changes if item.num_clips < settings.min_slice_clips),
    )


def _gain_on_audits(
    audits: Sequence[Compared], settings: RetrainSettings, num_draws: int
) -> Interval | None:
    """By how much the mean error falls on audits with words; ``None`` where they are too few."""
    falls, groups = [], []
    for pair in audits:
        table = pair.table
        rows = np.flatnonzero(table.is_review & (table.num_reference_words > 0))
        actual = table.num_errors[rows] / table.num_reference_words[rows]
        before, after = (
            np.abs(scores.wer[rows] - actual) for scores in (pair.champion, pair.challenger)
        )
        falls.append(before - after)
        groups.append(table.group[rows])
    fall, group = np.concatenate(falls), np.concatenate(groups)
    if len(np.unique(group)) < MIN_AUDITS:
        return None
    return bootstrap(
        lambda rows: float(fall[rows].mean()),
        group,
        num_draws=num_draws,
        level=settings.gate_level,
        seed=settings.seed,
    )


def _coverage(
    table: TrainingTable, scores: Scores, *, settings: RetrainSettings, num_draws: int
) -> Interval | None:
    rows = np.flatnonzero(table.num_reference_words > 0)
    if scores.low is None or scores.high is None or not len(rows):
        return None
    actual = table.num_errors[rows] / table.num_reference_words[rows]
    inside = (actual >= scores.low[rows] - 1e-6) & (actual <= scores.high[rows] + 1e-6)
    return bootstrap(
        lambda chosen: float(inside[chosen].mean()),
        table.group[rows],
        num_draws=num_draws,
        level=settings.gate_level,
        seed=settings.seed,
    )


def _slices(
    table: TrainingTable, has_words: npt.NDArray[np.bool_]
) -> Iterator[tuple[str, npt.NDArray[np.intp]]]:
    """Rows of every slice that is known by name, clips with words only."""
    sets = np.where(table.is_review, "audits", "reference clips")
    columns = (
        ("set", sets),
        ("source", table.source),
        ("language", table.language),
        ("condition", table.condition),
    )
    for title, column in columns:
        for value in np.unique(column[has_words]):
            if value:
                yield f"{title}: {value}", np.flatnonzero((column == value) & has_words)
