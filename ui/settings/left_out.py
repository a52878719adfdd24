"""Reviews that cannot teach, in words."""

from collections.abc import Mapping

__all__ = ["left_out_text"]

_REASONS = {
    "num_rejected": "rejected",
    "num_empty": "empty",
    "num_other_engine": "by another engine, model or version",
    "num_other_normaliser": "judged under another normaliser",
    "num_other_features": (
        "with features of another depth or version (*Look again*, under Depth, makes these)"
    ),
}


def left_out_text(left_out: Mapping[str, int]) -> str:
    """How many reviews are left out for which reason.

    Examples:
        >>> left_out_text({"num_rejected": 2, "num_empty": 0})
        '2 rejected'
    """
    found = {why: left_out.get(name) for name, why in _REASONS.items()}
    return ", ".join(f"{count} {why}" for why, count in found.items() if count)
