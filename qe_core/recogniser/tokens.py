"""The vocabulary of our own small Whisper: byte-level BPE, Whisper's special tokens, timestamps."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

__all__ = ["TIMESTAMP_STEP_S", "Tokens", "train_tokenizer"]

TIMESTAMP_STEP_S = 0.02
_NUM_TIMESTAMPS = 1501
# The order matters to faster-whisper: <|notimestamps|> comes directly before <|0.00|>.
_SPECIALS = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
)


def train_tokenizer(texts: Iterable[str], *, size: int = 768) -> Tokenizer:
    """Learn byte pairs from texts and add the special tokens and timestamps.

    Args:
        texts: what will be trained on
        size: number of text tokens, 256 single bytes among them

    Returns:
        a tokenizer as faster-whisper reads it from ``tokenizer.json``

    References:
        Sennrich et al. (2016), Neural machine translation of rare words with subword units.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        (f" {text}" for text in texts),
        trainers.BpeTrainer(
            vocab_size=size,
            show_progress=False,
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        ),
    )
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in _SPECIALS])
    tokenizer.add_tokens(
        [
            AddedToken(f"<|{step * TIMESTAMP_STEP_S:.2f}|>", special=False)
            for step in range(_NUM_TIMESTAMPS)
        ]
    )
    return tokenizer


@dataclass(frozen=True, slots=True)
class Tokens:
    """A tokenizer with the numbers of the tokens that decoding and training name.

    Args:
        tokenizer: as :func:`train_tokenizer` makes it
    """

    tokenizer: Tokenizer
    end: int = field(init=False)
    start: int = field(init=False)
    previous: int = field(init=False)
    no_speech: int = field(init=False)
    no_timestamps: int = field(init=False)
    first_timestamp: int = field(init=False)
    space: int = field(init=False)

    def __post_init__(self) -> None:
        for name, token in (
            ("end", "<|endoftext|>"),
            ("start", "<|startoftranscript|>"),
            ("previous", "<|startofprev|>"),
            ("no_speech", "<|nospeech|>"),
            ("no_timestamps", "<|notimestamps|>"),
            ("first_timestamp", "<|0.00|>"),
            ("space", "Ġ"),
        ):
            object.__setattr__(self, name, self.tokenizer.token_to_id(token))

    @classmethod
    def load(cls, path: Path) -> "Tokens":
        """Read ``tokenizer.json``."""
        return cls(Tokenizer.from_file(str(path)))

    @property
    def size(self) -> int:
        """Number of all tokens."""
        return int(self.tokenizer.get_vocab_size())

    def encode_words(self, text: str) -> list[list[int]]:
        """Tokens of each whitespace-separated word, each with the space before it."""
        return [self.tokenizer.encode(f" {word}").ids for word in text.split()]

    def timestamp(self, time_s: float) -> int:
        """The timestamp token nearest to a time within the window."""
        step = round(time_s / TIMESTAMP_STEP_S)
        return self.first_timestamp + min(max(step, 0), _NUM_TIMESTAMPS - 1)
