"""Fitting an estimator to a recogniser from corrections, and whether that may serve.

A full training is judged by held-out audits alone. A recogniser that nothing is known about yet has
hardly any, so few that an adaptation would wait for a year: until there are enough, every
correction is judged by an adaptation that was fitted without its recording.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from qe_core.config import RetrainSettings
from qe_core.errors import TrainingError
from qe_core.estimation.adaptation import Accuracy, Adaptation
from qe_core.estimation.duel import Compared, Duel, compare, sense_of
from qe_core.estimation.estimator import Estimator
from qe_core.estimation.promotion import (
    Condition,
    GateResult,
    enough_reviews,
    makes_sense,
    no_slice_worse,
    percent,
    was_heard,
)
from qe_core.estimation.scoring import predicted_for, reviewed_of
from qe_core.estimation.shrinkage import accuracy, fit_adaptation
from qe_core.estimation.table import TrainingTable
from qe_core.estimation.trust import Agreement

__all__ = ["HowJudged", "Judgement", "adapt", "decide_adaptation", "judge_adaptation"]

HowJudged = Literal["held_out", "cross_validation"]

# One-sided 95 %: by how many standard errors a share of clips moves by chance.
_CHANCE = 1.64


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an adaptation brings on clips that it was not fitted on.

    Args:
        how: by audits that teach nothing, or by cross-validation where there are too few of them
        num_clips: clips that it is judged on
        num_held_out: audits that teach nothing
        before: of the estimator that serves, where audits judge; otherwise of the estimator without
            any adaptation, since the one that serves may have learnt from these very clips
        after: of the adaptation
        sense: how well the recogniser's confidence tells words that the corrections confirm from
            others, see :func:`qe_core.estimation.duel.sense_of`
        duel: both by slice, where audits judge
    """

    how: HowJudged
    num_clips: int
    num_held_out: int
    before: Accuracy
    after: Accuracy
    sense: float | None
    duel: Duel | None = None


def adapt(base: Estimator, table: TrainingTable, *, level: float) -> Estimator:
    """Fit an estimator to what was corrected.

    The same base and table always give the same adaptation; nothing is drawn at random.

    Args:
        base: an adaptation that it has already is left out
        table: transcripts by one recogniser; what is held out teaches nothing
        level: nominal coverage of the intervals

    Returns:
        the base with an adaptation, and the profile that this was fitted under for good

    Raises:
        TrainingError: all clips with words are held out, or of one speaker
    """
    teaching = table.select(~table.is_held_out)
    fitted = fit_adaptation(reviewed_of(base, teaching, level=level), level=level)
    if fitted.after is None:
        raise TrainingError(
            "There are not enough clips with words to check an adaptation: "
            f"{fitted.num_reviews}, of one speaker at most.",
            suggestion="Give clips of two speakers or more, and name them in the manifest.",
        )
    # A line between predicted and true rates holds for the ranks that the predictions were made
    # from. Were the profile to move on as clips come in, every estimate would move with it, under
    # an adaptation that knows nothing of that.
    manifest = replace(
        base.manifest,
        adaptation=fitted,
        interval_level=level,
        profile=base.profile or base.manifest.profile,
    )
    return replace(base, manifest=manifest, profile=None)


def judge_adaptation(
    champion: Estimator,
    adapted: Estimator,
    table: TrainingTable,
    *,
    level: float,
    settings: RetrainSettings,
) -> Judgement:
    """Compare an adaptation with what serves, on clips that it was not fitted on.

    Args:
        champion: serves now
        adapted: see :func:`adapt`
        table: what it was fitted on, and what is held out
        level: nominal coverage of the intervals
        settings: how many held-out clips are enough to judge by, and the size of a slice
    """
    adaptation = adapted.manifest.adaptation or Adaptation()
    audits = table.select(
        table.is_held_out & table.is_uniform_draw & (table.num_reference_words > 0)
    )
    sense = sense_of(table)
    if audits.num_clips < settings.min_test_clips and adaptation.before and adaptation.after:
        return Judgement(
            how="cross_validation",
            num_clips=adaptation.num_reviews,
            num_held_out=audits.num_clips,
            before=adaptation.before,
            after=adaptation.after,
            sense=sense,
        )
    # Drawn evenly, whatever they weigh in a training.
    even = replace(audits, weight=np.ones_like(audits.weight))
    both = [predicted_for(estimator, even, level=level) for estimator in (champion, adapted)]
    before, after = (accuracy(predicted) for predicted in both)
    duel = compare(
        Compared.on(audits, champion, adapted, level=level),
        settings=settings,
        interval_level=level,
        sense=sense,
    )
    return Judgement("held_out", audits.num_clips, audits.num_clips, before, after, sense, duel)


def decide_adaptation(
    judgement: Judgement,
    *,
    num_new_reviews: int | None,
    level: float,
    settings: RetrainSettings,
    agreements: Sequence[Agreement] = (),
) -> GateResult:
    """Decide whether an adaptation may serve.

    It cannot go as far wrong as a training: it has three numbers, each held back by a prior, and
    never changes which of two clips is worse. So a ranking is not asked for, and a difference
    that may be chance refuses nobody.

    Args:
        judgement: what it brings
        num_new_reviews: corrections that the champion does not know; ``None`` for references that
            are no reviews
        level: nominal coverage of the intervals
        settings: the thresholds
        agreements: what corrections agree with; asked for unless these are references

    Returns:
        every condition with its figures
    """
    reviews: tuple[Condition, ...] = ()
    heard: tuple[Condition, ...] = ()
    if num_new_reviews is not None:
        reviews = (enough_reviews(num_new_reviews, settings),)
        heard = (was_heard(agreements, settings),)
    slices = () if judgement.duel is None else (no_slice_worse(judgement.duel, settings),)
    return GateResult(
        (
            *reviews,
            _judged_by(judgement, settings),
            makes_sense(judgement.sense, settings),
            *heard,
            _accurate(judgement, settings),
            _keeps_its_promise(judgement, level, settings),
            *slices,
        )
    )


def _judged_by(judgement: Judgement, settings: RetrainSettings) -> Condition:
    """Holds always: a reader has to know what the figures are about."""
    if judgement.how == "held_out":
        text = f"Judged by {judgement.num_clips} audits that it was not fitted on."
    else:
        text = (
            f"Judged by cross-validation on {judgement.num_clips} clips, each by an adaptation "
            "fitted without its recording: "
            f"{judgement.num_held_out} of {settings.min_test_clips} audits that are kept to judge "
            "by are there."
        )
    return Condition("judged_by", True, text)


def _accurate(judgement: Judgement, settings: RetrainSettings) -> Condition:
    before, after = judgement.before, judgement.after
    gaps = [abs(item.predicted_pooled_wer - item.pooled_wer) for item in (before, after)]
    return Condition(
        "accuracy",
        after.mae <= before.mae + settings.max_mae_increase or gaps[1] < gaps[0],
        f"The mean error of the predicted WER is {percent(after.mae)} after {percent(before.mae)} "
        f"(may rise by {100 * settings.max_mae_increase:.1f} points, by more only where the WER of "
        f"all clips together is hit better); that WER is {percent(after.pooled_wer)}, predicted "
        f"{percent(after.predicted_pooled_wer)} after {percent(before.predicted_pooled_wer)}.",
    )


def _keeps_its_promise(judgement: Judgement, level: float, settings: RetrainSettings) -> Condition:
    before, after = judgement.before.coverage, judgement.after.coverage
    chance = _CHANCE * float(np.sqrt(level * (1 - level) / max(1, judgement.num_clips)))
    allowed = max(abs(before - level), chance) + settings.max_coverage_gap
    return Condition(
        "coverage",
        abs(after - level) <= allowed,
        f"{percent(after)} of the true WERs lie inside their interval after {percent(before)}; "
        f"{percent(level)} are promised, and by chance alone {100 * chance:.1f} points more or "
        "fewer.",
    )
