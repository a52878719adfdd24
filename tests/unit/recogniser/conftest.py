"""Small speech to train on, made of numbers: no synthesiser and no sound are needed."""

import numpy as np
import pytest

from qe_core.recogniser.grammar import sentences
from qe_core.recogniser.speech import Speech
from qe_core.recogniser.tokens import Tokens, train_tokenizer


@pytest.fixture(scope="session")
def tokens() -> Tokens:
    return Tokens(train_tokenizer(sentences(300, held_out=False, seed=1), size=400))


def make_speech(text: str, *, speaker: str = "flite-slt", has_times: bool = True) -> Speech:
    """Two seconds of coloured noise with a word every 0.2 s."""
    rng = np.random.default_rng(len(text))
    words = len(text.split())
    return Speech(
        mel=rng.normal(-2, 1, (200, 80)).astype(np.float16),
        text=text,
        speaker=speaker,
        start_s=0.2,
        end_s=1.8,
        words=tuple(
            (0.2 + 1.6 * index / words, 0.2 + 1.6 * (index + 1) / words) for index in range(words)
        )
        if has_times
        else (),
        phones=(3, 5, 7),
        frame_phones=tuple([0] * 10 + [3] * 80 + [0] * 10) if has_times else (),
    )


@pytest.fixture(scope="session")
def speech() -> list[Speech]:
    texts = list(sentences(12, held_out=False, seed=2))
    return [
        *(make_speech(text) for text in texts[:8]),
        *(make_speech(text, speaker="person", has_times=False) for text in texts[8:]),
    ]
