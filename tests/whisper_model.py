"""A Whisper of our own with random weights: small enough for a test, real enough to decode.

It has Whisper's architecture, special tokens and timestamps, so that it runs through the real
``faster_whisper.WhisperModel``; what it writes is a function of its seed.
"""

import json
from pathlib import Path

import numpy as np
from ctranslate2.specs import attention_spec, common_spec, transformer_spec, whisper_spec
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

_WIDTH = 64
_HEADS = 2
_LAYERS = 1
# Every byte is a token, as in Whisper; without merges a word is spelled letter by letter.
_TEXT = tuple(sorted(pre_tokenizers.ByteLevel.alphabet()))
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
_TIMESTAMPS = tuple(f"<|{step * 0.02:.2f}|>" for step in range(1501))


def make_whisper(folder: Path, *, seed: int = 1) -> Path:
    """Write a CTranslate2 Whisper model with random weights into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = [*_TEXT, *_SPECIALS, *_TIMESTAMPS]
    spec = whisper_spec.WhisperSpec(_LAYERS, _HEADS, _LAYERS, _HEADS)
    weights = _Weights(seed)
    _fill_encoder(spec.encoder, weights)
    _fill_decoder(spec.decoder, weights, len(vocabulary))
    spec.register_vocabulary(vocabulary)
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [_TEXT.index("Ġ"), len(_TEXT)]
    spec.config.lang_ids = []
    spec.config.alignment_heads = [(0, 0), (0, 1)]
    spec.validate()
    spec.optimize(quantization=None)
    spec.save(str(folder))
    _write_tokenizer(folder)
    (folder / "preprocessor_config.json").write_text(
        json.dumps({"feature_size": 80, "sampling_rate": 16000, "hop_length": 160, "n_fft": 400})
    )
    return folder


def _write_tokenizer(folder: Path) -> None:
    tokenizer = Tokenizer(
        models.BPE(
            vocab={token: index for index, token in enumerate(_TEXT)},
            merges=[],
        )
    )
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in _SPECIALS])
    tokenizer.add_tokens([AddedToken(token, special=False) for token in _TIMESTAMPS])
    tokenizer.save(str(folder / "tokenizer.json"))


class _Weights:
    """Random weights for each kind of layer."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def draw(self, *shape: int) -> np.ndarray:
        return self._rng.normal(0, 1 / np.sqrt(shape[-1]), shape).astype(np.float32)

    def linear(self, layer: common_spec.LinearSpec, rows: int, columns: int) -> None:
        layer.weight = self.draw(rows, columns)
        layer.bias = np.zeros(rows, np.float32)

    def norm(self, layer: common_spec.LayerNormSpec) -> None:
        layer.gamma = np.ones(_WIDTH, np.float32)
        layer.beta = np.zeros(_WIDTH, np.float32)

    def attention(self, layer: attention_spec.MultiHeadAttentionSpec, *sizes: int) -> None:
        for part, size in zip(layer.linear, (*sizes, 1), strict=True):
            self.linear(part, size * _WIDTH, _WIDTH)
        self.norm(layer.layer_norm)

    def feed_forward(self, layer: transformer_spec.FeedForwardSpec) -> None:
        self.norm(layer.layer_norm)
        self.linear(layer.linear_0, 2 * _WIDTH, _WIDTH)
        self.linear(layer.linear_1, _WIDTH, 2 * _WIDTH)


def _fill_encoder(encoder: whisper_spec.WhisperEncoderSpec, weights: _Weights) -> None:
    encoder.conv1.weight = weights.draw(_WIDTH, 80, 3)
    encoder.conv1.bias = np.zeros(_WIDTH, np.float32)
    encoder.conv2.weight = weights.draw(_WIDTH, _WIDTH, 3)
    encoder.conv2.bias = np.zeros(_WIDTH, np.float32)
    encoder.position_encodings.encodings = weights.draw(1500, _WIDTH)
    weights.norm(encoder.layer_norm)
    for layer in encoder.layer:
        weights.attention(layer.self_attention, 3)
        weights.feed_forward(layer.ffn)


def _fill_decoder(
    decoder: transformer_spec.TransformerDecoderSpec, weights: _Weights, size: int
) -> None:
    # Letters only, and strong positions: otherwise random weights repeat one odd byte for ever.
    embeddings = weights.draw(size, _WIDTH)
    for index, letter in enumerate(_TEXT):
        if not (letter.isascii() and letter.islower()) and letter != "Ġ":
            embeddings[index] = 0
    decoder.embeddings.weight = embeddings
    decoder.position_encodings.encodings = weights.draw(448, _WIDTH) * 8
    weights.norm(decoder.layer_norm)
    decoder.projection.weight = embeddings
    for layer in decoder.layer:
        weights.attention(layer.self_attention, 3)
        weights.attention(layer.attention, 1, 2)
        weights.feed_forward(layer.ffn)
