import numpy as np
import pytest

from qe_core.recogniser.speech import Speech
from qe_core.recogniser.tokens import Tokens
from qe_core.recogniser.windows import IGNORED, MAX_WINDOW_S, WindowMaker, normalise


@pytest.fixture
def maker(speech: list[Speech], tokens: Tokens) -> WindowMaker:
    noises = [np.random.default_rng(0).normal(-3, 1, (150, 80)).astype(np.float32)]
    return WindowMaker(speech, noises, tokens, seed=1, share_recorded=0.3)


def test_normalised_spectrograms_span_eighty_decibels() -> None:
    mel = normalise(np.array([[-10.0, 0.0], [2.0, -7.0]], np.float32))
    assert mel.tolist() == [[-0.5, 1.0], [1.5, -0.5]]


def test_windows_are_what_the_decoder_reads_and_should_say(
    maker: WindowMaker, tokens: Tokens
) -> None:
    for _ in range(40):
        window = maker.window(0.0)
        assert len(window.inputs) == len(window.targets)
        assert window.targets[-1] == tokens.end
        assert len(window.mel) <= MAX_WINDOW_S * 100
        # What is to be said next is what is read next.
        for said, read in zip(window.targets[:-1], window.inputs[1:], strict=True):
            assert said in (read, IGNORED, tokens.no_speech)


def test_the_span_of_a_word_lies_where_its_token_is_decided(
    maker: WindowMaker, tokens: Tokens
) -> None:
    windows = [maker.window(0.0) for _ in range(40)]
    assert any(window.spans for window in windows)
    for window in windows:
        for place, first, last in window.spans:
            assert window.targets[place] < tokens.end
            assert 0 <= first <= last <= len(window.mel) // 2 + 25


def test_early_windows_have_one_sentence_and_later_ones_more(
    maker: WindowMaker, tokens: Tokens
) -> None:
    def ends(progress: float) -> int:
        windows = [maker.window(progress) for _ in range(60)]
        stamps = [sum(token >= tokens.first_timestamp for token in w.inputs) for w in windows]
        return max(stamps)

    assert ends(0.0) == 2
    assert ends(1.0) > 2


def test_text_that_came_before_is_read_and_not_learned(maker: WindowMaker, tokens: Tokens) -> None:
    windows = [maker.window(1.0) for _ in range(80)]
    given = [window for window in windows if window.inputs[0] == tokens.previous]
    assert given
    for window in given:
        start = window.inputs.index(tokens.start)
        assert set(window.targets[:start]) == {IGNORED}


def test_where_nobody_speaks_no_speech_is_the_answer(maker: WindowMaker, tokens: Tokens) -> None:
    windows = [maker.window(0.5) for _ in range(200)]
    silent = [window for window in windows if not window.phones]
    assert silent
    assert {window.targets for window in silent} == {(tokens.no_speech, tokens.end)}


def test_batches_are_padded_alike_and_end_in_padding(maker: WindowMaker) -> None:
    batches = maker.batches(progress=0.5, max_frames=2000)
    assert sum(len(batch.mel) for batch in batches) >= 90
    for batch in batches:
        assert batch.mel.shape[1] % 2 == 0
        assert not batch.mel[:, -8:].any()
        assert batch.inputs.shape == batch.targets.shape
        assert batch.frame_phones.shape == (len(batch.mel), batch.mel.shape[1] // 2)


def test_the_same_seed_draws_the_same_windows(speech: list[Speech], tokens: Tokens) -> None:
    first, second = (
        WindowMaker(speech, [], tokens, seed=3).batches(progress=0.7) for _ in range(2)
    )
    assert all(np.array_equal(a.mel, b.mel) for a, b in zip(first, second, strict=True))


def test_without_recorded_speech_only_voices_are_drawn(
    speech: list[Speech], tokens: Tokens
) -> None:
    voices = [item for item in speech if item.words]
    batches = WindowMaker(voices, [], tokens, seed=3).batches(progress=0.0)
    assert all(batch.spans for batch in batches)
