"""Which speakers (and noises, and rooms) are kept out of training: decided by name, for ever."""

import hashlib

__all__ = ["is_held_out"]


def is_held_out(name: str, *, share: float = 0.25) -> bool:
    """Whether everything of this speaker, noise or room is kept for evaluation.

    The answer depends on the name alone, so that it is the same in every run and a speaker never
    changes sides when the corpus grows.

    Args:
        name: a speaker, a noise label or a room
        share: expected share that is held out

    Examples:
        >>> [is_held_out(f"speaker-{index}") for index in range(4)]
        [False, False, False, False]
    """
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < share
