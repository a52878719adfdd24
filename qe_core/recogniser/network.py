"""Whisper's network, small, with two helpers for learning from little: a CTC and a phone head.

Parameters carry the names of the Hugging Face implementation, so that a checkpoint is a plain
copy. What is different is only how padding is computed. Whisper hears 30 s windows of which most is
padding here; all padding has one value, and position vectors are the same from ``LAST_POSITION``
on. So the padding is computed for a few representatives that count as many as they stand for.

References:
    Radford et al. (2022), Robust speech recognition via large-scale weak supervision.
    Watanabe et al. (2017), Hybrid CTC/attention architecture for end-to-end speech recognition.
"""

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from qe_core.recogniser.voices import PHONES

__all__ = ["LAST_POSITION", "NUM_POSITIONS", "Network", "Output", "Shape", "sinusoids"]

NUM_POSITIONS = 1500
LAST_POSITION = 500
"""Positions (20 ms each) from here on share one vector: speech is expected in the first 10 s."""
_STRIDE = 16
_NUM_TARGETS = 448
_DECODER_POSITION_SCALE = 0.1
_MARGIN_FRAMES = 8


@dataclass(frozen=True, slots=True)
class Shape:
    """Size of the network.

    Args:
        vocabulary: number of tokens
        width: of every layer's output
        heads: attention heads
        encoder_layers: at 50 positions per second
        decoder_layers: at one position per token
        hidden: width inside the feed-forward layers
    """

    vocabulary: int
    width: int = 160
    heads: int = 4
    encoder_layers: int = 4
    decoder_layers: int = 2
    hidden: int = 512

    def as_dict(self) -> dict[str, int]:
        """Plain values, to be stored."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Output:
    """What one pass gives.

    Args:
        logits: of the next token, shape ``(batch, num_tokens, vocabulary)``
        attention: of the last decoder layer's first two heads on the real positions, shape
            ``(batch, 2, num_tokens, num_positions)``
        ctc: log probabilities of phones with the blank first, shape
            ``(batch, num_positions, phones + 1)``
        phones: logits of the phone at each position, ``(batch, num_positions, phones)``
    """

    logits: Tensor
    attention: Tensor
    ctc: Tensor
    phones: Tensor


def sinusoids(length: int, width: int) -> Tensor:
    """Whisper's position vectors, shape ``(length, width)``."""
    increment = math.log(10_000) / (width // 2 - 1)
    scales = torch.exp(-increment * torch.arange(width // 2))
    angles = torch.arange(length)[:, None] * scales[None]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class Network(nn.Module):
    """Encoder, decoder and the two helper heads."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.encoder = _Encoder(shape)
        self.decoder = _Decoder(shape)
        self.ctc = nn.Linear(shape.width, len(PHONES) + 1)
        self.phones = nn.Linear(shape.width, len(PHONES))

    def forward(self, mel: Tensor, tokens: Tensor) -> Output:
        """One pass over a batch.

        Args:
            mel: normalised, shape ``(batch, num_frames, 80)``, an even number of frames of which
                the last eight are padding (zeros)
            tokens: shape ``(batch, num_tokens)``
        """
        heard, middle, bias = self.encoder(mel)
        logits, attention = self.decoder(tokens, heard, bias)
        num_positions = mel.shape[1] // 2
        return Output(
            logits=logits,
            attention=attention[:, :2, :, :num_positions],
            ctc=self.ctc(heard[:, :num_positions]).log_softmax(-1),
            phones=self.phones(middle[:, :num_positions]),
        )


class _Attention(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.q_proj = nn.Linear(shape.width, shape.width)
        self.k_proj = nn.Linear(shape.width, shape.width, bias=False)
        self.v_proj = nn.Linear(shape.width, shape.width)
        self.out_proj = nn.Linear(shape.width, shape.width)

    def _split(self, value: Tensor) -> Tensor:
        batch, length, width = value.shape
        return value.view(batch, length, self.heads, width // self.heads).transpose(1, 2)

    def forward(
        self, queries: Tensor, keys: Tensor, bias: Tensor | None, *, is_causal: bool
    ) -> Tensor:
        mixed = functional.scaled_dot_product_attention(
            self._split(self.q_proj(queries)),
            self._split(self.k_proj(keys)),
            self._split(self.v_proj(keys)),
            attn_mask=bias,
            is_causal=is_causal,
        )
        return torch.as_tensor(self.out_proj(mixed.transpose(1, 2).flatten(2)))

    def weights(self, queries: Tensor, keys: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """Output and attention weights."""
        scores = self._split(self.q_proj(queries)) @ self._split(self.k_proj(keys)).transpose(2, 3)
        weights = (scores * (queries.shape[-1] // self.heads) ** -0.5 + bias).softmax(-1)
        mixed = weights @ self._split(self.v_proj(keys))
        return self.out_proj(mixed.transpose(1, 2).flatten(2)), weights


class _EncoderLayer(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.self_attn = _Attention(shape)
        self.self_attn_layer_norm = nn.LayerNorm(shape.width)
        self.fc1 = nn.Linear(shape.width, shape.hidden)
        self.fc2 = nn.Linear(shape.hidden, shape.width)
        self.final_layer_norm = nn.LayerNorm(shape.width)

    def forward(self, hidden: Tensor, bias: Tensor) -> Tensor:
        normed = self.self_attn_layer_norm(hidden)
        hidden = hidden + self.self_attn(normed, normed, bias, is_causal=False)
        normed = self.final_layer_norm(hidden)
        return torch.as_tensor(hidden + self.fc2(functional.gelu(self.fc1(normed))))


class _Encoder(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(80, shape.width, 3, padding=1)
        self.conv2 = nn.Conv1d(shape.width, shape.width, 3, stride=2, padding=1)
        positions = sinusoids(NUM_POSITIONS, shape.width)
        positions[LAST_POSITION:] = positions[LAST_POSITION]
        self.embed_positions = _fixed(positions)
        self.layers = nn.ModuleList(_EncoderLayer(shape) for _ in range(shape.encoder_layers))
        self.layer_norm = nn.LayerNorm(shape.width)

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Output, output of the middle layer, and how much each key counts (as a bias)."""
        num_positions = mel.shape[1] // 2
        padded = functional.pad(mel, (0, 0, 0, _MARGIN_FRAMES)).transpose(1, 2)
        heard = functional.gelu(self.conv2(functional.gelu(self.conv1(padded)))).transpose(1, 2)
        places, counts = (part.to(mel.device) for part in _representatives(num_positions))
        # Two positions behind the end no filter reaches the speech any more.
        padding = heard[:, num_positions + 2 : num_positions + 3].expand(-1, len(places), -1)
        order = torch.cat([torch.arange(num_positions, device=mel.device), places])
        hidden = torch.cat([heard[:, :num_positions], padding], 1) + self.embed_positions(order)
        real = torch.zeros(num_positions, device=mel.device)
        bias = torch.cat([real, counts.log()])[None, None, None]
        middle = hidden
        for index, layer in enumerate(self.layers):
            hidden = layer(hidden, bias)
            if index + 1 < len(self.layers):
                middle = hidden
        return self.layer_norm(hidden), middle, bias


class _DecoderLayer(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.self_attn = _Attention(shape)
        self.self_attn_layer_norm = nn.LayerNorm(shape.width)
        self.encoder_attn = _Attention(shape)
        self.encoder_attn_layer_norm = nn.LayerNorm(shape.width)
        self.fc1 = nn.Linear(shape.width, shape.hidden)
        self.fc2 = nn.Linear(shape.hidden, shape.width)
        self.final_layer_norm = nn.LayerNorm(shape.width)

    def forward(self, hidden: Tensor, heard: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        normed = self.self_attn_layer_norm(hidden)
        hidden = hidden + self.self_attn(normed, normed, None, is_causal=True)
        mixed, attention = self.encoder_attn.weights(
            self.encoder_attn_layer_norm(hidden), heard, bias
        )
        hidden = hidden + mixed
        normed = self.final_layer_norm(hidden)
        return hidden + self.fc2(functional.gelu(self.fc1(normed))), attention


class _Decoder(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.width)
        nn.init.normal_(self.embed_tokens.weight, std=shape.width**-0.5)
        self.embed_positions = _fixed(
            _DECODER_POSITION_SCALE * sinusoids(_NUM_TARGETS, shape.width)
        )
        self.layers = nn.ModuleList(_DecoderLayer(shape) for _ in range(shape.decoder_layers))
        self.layer_norm = nn.LayerNorm(shape.width)

    def forward(self, tokens: Tensor, heard: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """Logits, and the last layer's attention."""
        positions = self.embed_positions(torch.arange(tokens.shape[1], device=tokens.device))
        hidden, attention = self.embed_tokens(tokens) + positions, bias
        for layer in self.layers:
            hidden, attention = layer(hidden, heard, bias)
        return functional.linear(self.layer_norm(hidden), self.embed_tokens.weight), attention


def _fixed(vectors: Tensor) -> nn.Embedding:
    embedding = nn.Embedding(len(vectors), vectors.shape[1], _weight=vectors)
    embedding.weight.requires_grad_(False)
    return embedding


def _representatives(num_positions: int) -> tuple[Tensor, Tensor]:
    """Which padding positions are computed, and how many each stands for."""
    edges = (
        list(range(num_positions, LAST_POSITION, _STRIDE)) if num_positions < LAST_POSITION else []
    )
    ends = [*edges[1:], LAST_POSITION] if edges else []
    places = [(start + end) // 2 for start, end in zip(edges, ends, strict=True)]
    counts = [end - start for start, end in zip(edges, ends, strict=True)]
    beyond = NUM_POSITIONS - max(num_positions, LAST_POSITION)
    return (
        torch.tensor([*places, NUM_POSITIONS - 1]),
        torch.tensor([*counts, beyond], dtype=torch.float32),
    )
