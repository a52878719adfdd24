"""The gate: what a challenger has to show before it serves."""

from dataclasses import dataclass

from qe_core.config import RetrainSettings
from qe_core.estimation.evaluation import Metrics

__all__ = ["Condition", "GateResult", "decide"]


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


def decide(
    champion: Metrics,
    challenger: Metrics,
    *,
    num_new_reviews: int,
    settings: RetrainSettings,
) -> GateResult:
    """Decide whether a challenger may replace the champion.

    Args:
        champion: figures of the serving estimator on held-out clips
        challenger: figures of the new one on the same clips
        num_new_reviews: reviews since the champion was trained
        settings: the thresholds

    Returns:
        every condition with its figures
    """
    return GateResult(
        (
            _enough_reviews(num_new_reviews, settings),
            _ranks_well(challenger, settings),
            _not_worse(champion, challenger, settings),
        )
    )


def _enough_reviews(num_new_reviews: int, settings: RetrainSettings) -> Condition:
    needed = settings.min_new_reviews
    passed = num_new_reviews >= needed
    verb = "are enough" if passed else "are too few"
    return Condition(
        "enough_reviews",
        passed,
        f"{num_new_reviews} new reviews {verb}; at least {needed} are needed.",
    )


def _ranks_well(challenger: Metrics, settings: RetrainSettings) -> Condition:
    passed = challenger.spearman >= settings.min_spearman
    verb = "reaches" if passed else "misses"
    return Condition(
        "spearman",
        passed,
        f"Spearman {challenger.spearman:.2f} on held-out clips {verb} the required "
        f"{settings.min_spearman:.2f}.",
    )


def _not_worse(champion: Metrics, challenger: Metrics, settings: RetrainSettings) -> Condition:
    if champion.mae is None or challenger.mae is None:
        return Condition(
            "mae", False, "There is no held-out clip with words to compare the two on."
        )
    allowed = champion.mae + settings.max_mae_increase
    passed = challenger.mae <= allowed
    verb = "is close to or below" if passed else "is worse than"
    return Condition(
        "mae",
        passed,
        f"Mean error of the predicted WER {challenger.mae:.3f} {verb} the champion's "
        f"{champion.mae:.3f} on the same {challenger.num_clips} held-out clips; up to "
        f"{settings.max_mae_increase:.3f} more is allowed.",
    )
