"""Which clip to review next, and with which probability it was drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from qe_core.config import RetrainSettings, ReviewSettings

__all__ = [
    "Draw",
    "Policy",
    "draw",
    "errors_per_second",
    "importance_weights",
    "mixture_propensities",
    "pick_policy",
]

Policy = Literal["expected_errors", "uncertain", "audit"]
Values = npt.NDArray[np.float64]

_POLICIES: tuple[Policy, ...] = ("expected_errors", "uncertain", "audit")


@dataclass(frozen=True, slots=True)
class Draw:
    """A clip that was drawn for review.

    Args:
        index: position among the clips that were offered
        policy: the part of the mixture that drew it; ``"audit"`` is uniform over all of them
        propensity: probability that one draw of the whole mixture returns this clip, in (0, 1]
    """

    index: int
    policy: Policy
    propensity: float


def importance_weights(propensities: Sequence[float | None], settings: RetrainSettings) -> Values:
    """Clipped inverse propensities, scaled so that a review weighs ``review_weight`` on average.

    What is drawn often is drawn because errors were expected; weighing it down gives a training
    that sees the stream as it is. The bound keeps a rare draw from outweighing everything.

    Args:
        propensities: probability of every draw; ``None`` for a clip that somebody chose, which
            weighs as much as one that was sure to come
        settings: the bound and the average

    Returns:
        weights, shape ``(num_reviews,)``

    References:
        Farquhar, Gal & Rainforth (2021), On statistical bias in active learning,
        arXiv 2101.11665, §3; Ionides (2008), Truncated importance sampling, for the bound.

    Examples:
        >>> importance_weights([0.5, 0.1], RetrainSettings(review_weight=1.0)).round(2).tolist()
        [0.33, 1.67]
    """
    bound = settings.max_propensity_weight
    inverse = np.array([min(1.0 / (value or 1.0), bound) for value in propensities])
    return settings.review_weight * inverse / inverse.mean() if len(inverse) else inverse


def errors_per_second(expected_errors: Values, durations_s: Values) -> Values:
    """What a second of review buys: expected errors per audio second (DESIGN §5.4).

    Examples:
        >>> errors_per_second(np.array([4.0, 4.0]), np.array([2.0, 8.0])).tolist()
        [2.0, 0.5]
    """
    return expected_errors / np.maximum(durations_s, 1e-3)


def mixture_propensities(yields: Values, widths: Values, settings: ReviewSettings) -> Values:
    """Probability of each clip to be the next one, over all policies together.

    Clips that tie for the first place share its probability.

    Args:
        yields: expected errors per audio second, shape ``(num_clips,)``
        widths: width of the prediction interval of the WER, shape ``(num_clips,)``
        settings: the shares of the mixture

    Returns:
        probabilities that sum to 1, shape ``(num_clips,)``; none is 0 while there are audits, so
        that inverse propensities exist for every clip

    Examples:
        >>> shares = ReviewSettings()
        >>> mixture_propensities(np.array([9.0, 1, 1]), np.array([0.1, 0.5, 0.1]), shares).round(2)
        array([0.75, 0.2 , 0.05])
    """
    propensities: Values = _shares(settings) @ _conditionals(yields, widths)
    return propensities


def pick_policy(settings: ReviewSettings, rng: np.random.Generator) -> Policy:
    """Pick the part of the mixture that draws next, with the probabilities of the settings."""
    return _POLICIES[int(rng.choice(len(_POLICIES), p=_shares(settings)))]


def draw(
    yields: Values, widths: Values, settings: ReviewSettings, rng: np.random.Generator
) -> Draw:
    """Draw the next clip to review from the mixture of DESIGN §5.7.

    By default 70 % of the draws take the highest expected errors per audio second, 15 % the widest
    prediction interval, and 15 % any clip at all, confident ones included: only those tell how
    good the stream is without looking where errors were expected.

    Args:
        yields: expected errors per audio second of every unreviewed clip, ``(num_clips,)``
        widths: width of its prediction interval, ``(num_clips,)``
        settings: the shares of the mixture
        rng: the only source of chance; equal generators draw equal clips

    Returns:
        the clip, the policy that chose it, and its probability under the whole mixture

    Raises:
        ValueError: there is no clip to draw from

    References:
        Farquhar, Gal & Rainforth (2021), On statistical bias in active learning,
        arXiv 2101.11665, §3: the probability at the time of the draw has to be logged.
    """
    if len(yields) == 0:
        raise ValueError("There is no clip to draw from.")
    policy = pick_policy(settings, rng)
    if policy == "audit":
        index = int(rng.integers(len(yields)))
    else:
        values = yields if policy == "expected_errors" else widths
        index = int(rng.choice(np.flatnonzero(values == values.max())))
    # Only this clip's column of _conditionals: with a hundred thousand clips all of it takes time.
    conditional = [_share_of_first(yields, index), _share_of_first(widths, index), 1 / len(yields)]
    return Draw(index, policy, float(_shares(settings) @ conditional))


def _shares(settings: ReviewSettings) -> Values:
    shares: Values = np.array(
        [settings.share_expected_errors, settings.share_uncertain, settings.share_audit]
    )
    if shares.sum() == 0:
        shares[0] = 1.0  # nobody chose anything: what is worst comes first
    shares /= shares.sum()
    return shares


def _conditionals(yields: Values, widths: Values) -> Values:
    """Probability of each clip given the policy, shape ``(num_policies, num_clips)``."""
    uniform = np.full(len(yields), 1.0 / len(yields))
    return np.stack([_first_place(yields), _first_place(widths), uniform])


def _share_of_first(values: Values, index: int) -> float:
    top = values.max()
    return 1.0 / float(np.count_nonzero(values == top)) if values[index] == top else 0.0


def _first_place(values: Values) -> Values:
    is_first: Values = (values == values.max()).astype(np.float64)
    is_first /= is_first.sum()
    return is_first
