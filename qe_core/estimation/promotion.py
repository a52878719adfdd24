"""The gate: what a challenger has to show before it serves."""

from collections.abc import Sequence
from dataclasses import dataclass

from qe_core.config import RetrainSettings
from qe_core.estimation.bootstrap import Interval
from qe_core.estimation.duel import MIN_AUDITS, Duel
from qe_core.estimation.trust import Agreement

__all__ = [
    "Condition",
    "GateResult",
    "decide",
    "enough_reviews",
    "makes_sense",
    "no_slice_worse",
    "percent",
    "was_heard",
]

_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of the gate.

    Args:
        name: stable name
        passed: whether it holds
        text: a sentence with the figures
    """

    name: str
    passed: bool
    text: str


@dataclass(frozen=True, slots=True)
class GateResult:
    """All conditions, whether they hold or not."""

    conditions: tuple[Condition, ...]

    @property
    def passed(self) -> bool:
        """Whether the challenger may be promoted."""
        return all(condition.passed for condition in self.conditions)


def decide(duel: Duel, *, num_new_reviews: int, settings: RetrainSettings) -> GateResult:
    """Decide whether a challenger may replace the champion.

    It may if it is not worse in any respect beyond what is allowed, with confidence, and better in
    at least one.

    Args:
        duel: both on audits and reference clips
        num_new_reviews: reviews since the champion was trained
        settings: the thresholds

    Returns:
        every condition with its figures
    """
    return GateResult(
        (
            enough_reviews(num_new_reviews, settings),
            _enough_clips(duel, settings),
            makes_sense(duel.sense, settings, duel.agreements),
            was_heard(duel.agreements, settings),
            _ranks_well(duel, settings),
            _finds_errors(duel, settings),
            _not_further_off(duel, settings),
            _gains(duel, settings),
            _keeps_its_promise(duel, settings),
            no_slice_worse(duel, settings),
        )
    )


def enough_reviews(num_new_reviews: int, settings: RetrainSettings) -> Condition:
    """There is enough that the champion does not know."""
    needed = settings.min_new_reviews
    passed = num_new_reviews >= needed
    verb = "are enough" if passed else "are too few"
    return Condition(
        "enough_reviews",
        passed,
        f"{num_new_reviews} new reviews {verb}; at least {needed} are needed.",
    )


def _enough_clips(duel: Duel, settings: RetrainSettings) -> Condition:
    num_clips, needed = duel.challenger.num_clips, settings.min_test_clips
    passed = num_clips >= needed
    verb = "are enough" if passed else "are too few"
    return Condition(
        "enough_clips",
        passed,
        f"{duel.num_audits} audits and {num_clips - duel.num_audits} reference clips {verb} to "
        f"judge by; at least {needed} are needed together.",
    )


def makes_sense(
    sense: float | None, settings: RetrainSettings, agreements: Sequence[Agreement] = ()
) -> Condition:
    """Corrections that were made by listening confirm words that looked right beforehand.

    On the worst clips of a stream that may say nothing at all. What the champion is sure of says
    more then, and :func:`was_heard` asks for that.

    Args:
        sense: see :func:`qe_core.estimation.duel.sense_of`
        settings: the thresholds
        agreements: of all corrections together and person by person
    """
    needed = settings.min_word_auc
    if sense is None:
        return Condition("sense", True, "No correction says which words were right.")
    knows_better = any(item.who is None and item.sure_changed for item in agreements)
    passed = sense >= needed or (knows_better and sense > 0)
    if not sense:
        text = "The corrections confirm not one word that was written."
    else:
        text = (
            f"A word that the corrections confirm was less in doubt beforehand than one that they "
            f"do not in {percent(sense)} of pairs"
        )
        if not passed:
            text += f", hardly more than by chance; {percent(needed)} are needed."
        elif sense < needed:
            text += (
                ", hardly more than by chance; here the words count that the champion is sure of."
            )
        else:
            text += "."
    return Condition("sense", passed, text)


def was_heard(agreements: Sequence[Agreement], settings: RetrainSettings) -> Condition:
    """Corrections that were made by listening keep what was right and change what was wrong.

    Args:
        agreements: of all corrections together and person by person
        settings: the thresholds
    """
    found = [(item.who, text) for item in agreements for text in _objections(item, settings)]
    # What one person did shows in all corrections together, too: then that person is named.
    named = [(who, text) for who, text in found if who is not None] or found
    if named:
        text = " ".join(
            f"{'The corrections' if who is None else f'The corrections by {who}'} {what}"
            for who, what in named
        )
        text += " Have these clips reviewed again by somebody who listens to them."
        return Condition("heard", False, text)
    if not agreements:
        return Condition("heard", True, "There are too few corrections to tell who listens.")
    return Condition(
        "heard",
        True,
        "As far as can be told, nobody's corrections contradict what the champion is sure of, and "
        "they are as long as the transcripts suggest.",
    )


def _objections(item: Agreement, settings: RetrainSettings) -> list[str]:
    """What speaks against corrections, beyond chance."""
    sure, doubtful, length = item.sure_changed, item.doubtful_changed, item.length
    texts = []
    if sure is not None and sure.low > settings.max_sure_changed:
        texts.append(
            f"change {percent(sure.value)} of the words that the champion takes for right; "
            f"{percent(settings.max_sure_changed)} are plausible."
        )
    if doubtful is not None and doubtful.high < settings.min_doubtful_changed:
        texts.append(
            f"leave {percent(1 - doubtful.value)} of the words as they are that the champion "
            f"takes for wrong; {percent(1 - settings.min_doubtful_changed)} are plausible."
        )
    if length is not None and length.high < settings.min_length_agreement:
        texts.append(
            f"are not longer where more was written (a correlation of {length.value:.2f}; "
            f"{settings.min_length_agreement:.2f} is plausible)."
        )
    return texts


def _ranks_well(duel: Duel, settings: RetrainSettings) -> Condition:
    spearman = duel.challenger.spearman
    passed = spearman >= settings.min_spearman
    verb = "reaches" if passed else "misses"
    return Condition(
        "spearman",
        passed,
        f"Spearman {spearman:.2f} on held-out clips {verb} the required "
        f"{settings.min_spearman:.2f}.",
    )


def _finds_errors(duel: Duel, settings: RetrainSettings) -> Condition:
    passed = duel.er20_gain.low >= -settings.max_recall_loss
    return Condition(
        "er20",
        passed,
        f"In the first 20 % of audio the challenger finds {percent(duel.challenger.er20)} of all "
        f"errors, the champion {percent(duel.champion.er20)}: a change of "
        f"{_interval(duel.er20_gain, settings)}. A loss of more than "
        f"{_points(settings.max_recall_loss)} points {_verdict(passed)}.",
    )


def _not_further_off(duel: Duel, settings: RetrainSettings) -> Condition:
    before, after = duel.champion.mae, duel.challenger.mae
    if before is None or after is None:
        return Condition(
            "mae", False, "There is no held-out clip with words to compare the two on."
        )
    passed = duel.mae_gain.low >= -settings.max_mae_increase
    verb = "rises" if after > before else "falls"
    return Condition(
        "mae",
        passed,
        f"The mean error of the predicted WER {verb} from {percent(before)} to {percent(after)}, "
        f"a gain of {_interval(duel.mae_gain, settings)}. An increase of more than "
        f"{_points(settings.max_mae_increase)} points {_verdict(passed)}.",
    )


def _gains(duel: Duel, settings: RetrainSettings) -> Condition:
    """Better on all clips, or surely on the audits: what is new is a small part of all clips."""
    gains = duel.er20_gain.value, duel.mae_gain.value
    is_better = max(gains) >= settings.min_gain
    who = "At least one figure is" if is_better else "Neither figure is"
    text = (
        f"{who} better by the required {_points(settings.min_gain)} points: errors found by "
        f"{_signed(gains[0])}, mean error by {_signed(gains[1])}."
    )
    now, helps = duel.audits_gain, False
    if now is None:
        text += f" The audits alone are too few to tell; {MIN_AUDITS} recordings are needed."
    else:
        helps = now.low > 0 and now.value >= settings.min_gain
        verb = "and that is" if helps else "which is not"
        num_all, num_teaching = duel.num_audits + duel.num_teaching_audits, duel.num_teaching_audits
        judged = f" ({num_teaching} of them judged by trees that never saw them)"
        text += (
            f" On the {num_all} audits alone{judged if num_teaching else ''} the gain in mean "
            f"error is {_interval(now, settings)}, {verb} beyond chance."
        )
    return Condition("gain", is_better or helps, text)


def _keeps_its_promise(duel: Duel, settings: RetrainSettings) -> Condition:
    level, coverage = duel.interval_level, duel.coverage
    if coverage is None:
        return Condition("coverage", False, "There is no held-out clip to check intervals on.")
    low, high = level - settings.max_coverage_gap, level + settings.max_coverage_gap
    # Of 150 clips, 4 points more or fewer are inside by chance: only what is beyond it refuses.
    passed = coverage.low <= high + _TINY and coverage.high >= low - _TINY
    verb = "agrees with" if passed else "contradicts"
    return Condition(
        "coverage",
        passed,
        f"{percent(coverage.value)} of the true WERs lie inside their interval "
        f"({100 * settings.gate_level:.0f} % interval {percent(coverage.low)} to "
        f"{percent(coverage.high)}); that {verb} the promised {percent(level)} ± "
        f"{_points(settings.max_coverage_gap)} points.",
    )


def no_slice_worse(duel: Duel, settings: RetrainSettings) -> Condition:
    """No source, language or condition gets worse beyond chance."""
    # In a slice of 30 clips, 3 points more or less are often chance: that alone refuses nobody.
    losses = [item for item in duel.slices if item.loss > settings.max_slice_loss]
    worse = [item for item in losses if item.surely > 0]
    allowed = f"{_points(settings.max_slice_loss)} points"
    if worse:
        found = "; ".join(
            f"{item.name} ({item.num_clips} clips): {percent(item.before)} before, "
            f"{percent(item.after)} after"
            for item in sorted(worse, key=lambda item: -item.loss)
        )
        text = f"The mean error rises by more than {allowed}, beyond chance, on {found}."
    else:
        text = (
            f"On none of {len(duel.slices)} slices the mean error rises by more than {allowed} "
            "beyond chance."
        )
        if losses:
            text += f" It may have on {', '.join(item.name for item in losses)}."
    if duel.too_small:
        names = ", ".join(duel.too_small)
        text += f" Not judged, with fewer than {settings.min_slice_clips} clips: {names}."
    return Condition("slices", not worse, text)


def _verdict(passed: bool) -> str:
    return "can be excluded" if passed else "cannot be excluded"


def _interval(gain: Interval, settings: RetrainSettings) -> str:
    return (
        f"{_signed(gain.value)} points ({100 * settings.gate_level:.0f} % interval "
        f"{_signed(gain.low)} to {_signed(gain.high)})"
    )


def percent(share: float) -> str:
    """With one decimal, as in all sentences of the gate."""
    return f"{100 * share:.1f} %"


def _points(share: float) -> str:
    return f"{100 * share:.1f}"


def _signed(share: float) -> str:
    text = f"{100 * share:+.1f}".replace("-", "−")
    return "0.0" if text[1:] == "0.0" else text
