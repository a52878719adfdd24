from pathlib import Path

from qe_core.recogniser.tokens import Tokens


def test_special_tokens_stand_where_faster_whisper_expects_them(tokens: Tokens) -> None:
    assert tokens.first_timestamp == tokens.no_timestamps + 1
    assert tokens.size == tokens.first_timestamp + 1501
    assert tokens.end < tokens.start < tokens.previous < tokens.no_speech < tokens.no_timestamps


def test_words_become_tokens_and_come_back(tokens: Tokens) -> None:
    text = "Zebra platform, exactly 7 € later."
    numbers = [number for word in tokens.encode_words(text) for number in word]
    assert tokens.tokenizer.decode(numbers) == f" {text}"
    assert max(numbers) < tokens.end


def test_timestamps_are_rounded_to_twenty_milliseconds_and_kept_in_the_window(
    tokens: Tokens,
) -> None:
    assert tokens.timestamp(0.0) == tokens.first_timestamp
    assert tokens.timestamp(1.231) == tokens.tokenizer.token_to_id("<|1.24|>")
    assert tokens.timestamp(-1.0) == tokens.first_timestamp
    assert tokens.timestamp(99.0) == tokens.tokenizer.token_to_id("<|30.00|>")


def test_a_saved_tokenizer_is_the_same(tokens: Tokens, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    tokens.tokenizer.save(str(path))
    again = Tokens.load(path)
    assert (again.start, again.space, again.size) == (tokens.start, tokens.space, tokens.size)
