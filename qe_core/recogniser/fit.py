"""Training our own small Whisper from scratch: restartable, seeded, within a budget of minutes."""

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from qe_core.recogniser.network import Network, Output, Shape
from qe_core.recogniser.tokens import Tokens
from qe_core.recogniser.windows import IGNORED, Batch, WindowMaker

__all__ = ["FitSettings", "Point", "Training"]

_CTC_WEIGHT = 0.3
_PHONE_WEIGHT = 0.5
_ATTENTION_WEIGHT = 0.3
_LABEL_SMOOTHING = 0.05
# A word may be attended to this many positions (20 ms) around where it is.
_ATTENTION_MARGIN = 2
_SECONDS_PER_POINT = 30.0
# A small batch learns more per second on a CPU; a GPU would be idle with it.
_MAX_FRAMES = {"cpu": 4_000, "cuda": 16_000}


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How to train.

    Args:
        minutes: budget of training time, over all starts together; the learning rate follows it
        steps: budget of steps instead; then the same seed gives the same model
        learning_rate: the highest
        warmup_steps: until the highest learning rate
        seed: draws windows and first weights
        threads: of the CPU, 0 for all
        save_every_s: seconds between checkpoints
    """

    minutes: float = 75.0
    steps: int | None = None
    learning_rate: float = 1.5e-3
    warmup_steps: int = 200
    seed: int = 20260101
    threads: int = 0
    save_every_s: float = 240.0


@dataclass(frozen=True, slots=True)
class Point:
    """One point of the loss curve: means since the point before."""

    minutes: float
    step: int
    loss: float
    tokens: float
    ctc: float
    phones: float
    attention: float
    learning_rate: float


@dataclass(slots=True)
class _Sums:
    """Losses since the last point of the curve."""

    count: int = 0
    values: dict[str, float] = field(default_factory=dict)

    def add(self, parts: dict[str, Tensor]) -> None:
        self.count += 1
        for name, value in parts.items():
            self.values[name] = self.values.get(name, 0.0) + value.item()

    def means(self) -> dict[str, float]:
        return {name: round(value / max(1, self.count), 4) for name, value in self.values.items()}


class Training:
    """A network in training, whose state is a file.

    Args:
        folder: keeps ``state.pt`` and ``curve.jsonl``; if they are there, the training goes on
        maker: draws the windows
        tokens: the vocabulary
        settings: budget and learning rate
        shape: of the network
    """

    def __init__(
        self,
        folder: Path,
        maker: WindowMaker,
        tokens: Tokens,
        settings: FitSettings,
        shape: Shape | None = None,
    ) -> None:
        torch.manual_seed(settings.seed)
        if settings.threads:
            torch.set_num_threads(settings.threads)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = Network(shape or Shape(vocabulary=tokens.size)).to(self._device)
        self.step = 0
        self.elapsed_s = 0.0
        self._folder, self._maker, self._settings = folder, maker, settings
        self._optimiser = torch.optim.AdamW(
            [parameter for parameter in self.network.parameters() if parameter.requires_grad],
            lr=settings.learning_rate,
            betas=(0.9, 0.98),
            weight_decay=0.02,
        )
        folder.mkdir(parents=True, exist_ok=True)
        if self._state_path.is_file():
            self._load()

    @property
    def progress(self) -> float:
        """Share of the budget that is used, in [0, 1]."""
        if self._settings.steps is not None:
            return min(1.0, self.step / self._settings.steps)
        return min(1.0, self.elapsed_s / (60 * self._settings.minutes))

    @property
    def curve(self) -> list[Point]:
        """The loss curve so far."""
        if not self._curve_path.is_file():
            return []
        lines = self._curve_path.read_text(encoding="utf-8").splitlines()
        return [Point(**json.loads(line)) for line in lines]

    def run(
        self, *, until: float = 1.0, on_point: Callable[[float, Point], None] | None = None
    ) -> None:
        """Train until a share of the budget is used.

        Args:
            until: share of the budget, in [0, 1]
            on_point: called with (progress, point) every half minute
        """
        # Vanishing gradients would otherwise be computed a hundred times slower.
        torch.set_flush_denormal(True)
        try:
            self._run(until, on_point)
        finally:
            # It holds for the whole process, and other arithmetic may need the small numbers.
            torch.set_flush_denormal(False)
        self.save()

    def _run(self, until: float, on_point: Callable[[float, Point], None] | None) -> None:
        self.network.train()
        sums, started, last_point_s, last_save_s = _Sums(), time.monotonic(), 0.0, 0.0
        base_s = self.elapsed_s
        while self.progress < until:
            for batch in self._maker.batches(
                progress=self.progress, max_frames=_MAX_FRAMES[self._device.type]
            ):
                sums.add(self._update(batch))
                run_s = time.monotonic() - started
                self.elapsed_s = base_s + run_s
                if run_s - last_point_s >= _SECONDS_PER_POINT:
                    last_point_s = run_s
                    self._report(sums, on_point)
                    sums = _Sums()
            if run_s - last_save_s >= self._settings.save_every_s:
                last_save_s = run_s
                self.save()
        if sums.count:
            self._report(sums, on_point)

    def save(self) -> None:
        """Write the state; a crash while writing leaves the one before."""
        temporary = self._state_path.with_suffix(".part")
        torch.save(
            {
                "network": self.network.state_dict(),
                "optimiser": self._optimiser.state_dict(),
                "shape": self.network.shape.as_dict(),
                "step": self.step,
                "elapsed_s": self.elapsed_s,
                "torch_rng": torch.get_rng_state(),
                "numpy_rng": json.dumps(self._maker.rng.bit_generator.state),
            },
            temporary,
        )
        temporary.replace(self._state_path)

    @property
    def _state_path(self) -> Path:
        return self._folder / "state.pt"

    @property
    def _curve_path(self) -> Path:
        return self._folder / "curve.jsonl"

    def _load(self) -> None:
        state: dict[str, Any] = torch.load(
            self._state_path, weights_only=True, map_location=self._device
        )
        self.network.load_state_dict(state["network"])
        self._optimiser.load_state_dict(state["optimiser"])
        self.step, self.elapsed_s = state["step"], state["elapsed_s"]
        torch.set_rng_state(state["torch_rng"].cpu())
        self._maker.rng.bit_generator.state = json.loads(state["numpy_rng"])

    def _learning_rate(self) -> float:
        warm = min(1.0, (self.step + 1) / self._settings.warmup_steps)
        cosine = 0.5 * (1 + math.cos(math.pi * self.progress))
        return self._settings.learning_rate * warm * max(0.02, cosine)

    def _update(self, batch: Batch) -> dict[str, Tensor]:
        rate = self._learning_rate()
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        mel, inputs = (
            torch.from_numpy(part).to(self._device) for part in (batch.mel, batch.inputs)
        )
        # Sums over a long vocabulary need full precision, products of matrices don't.
        with torch.autocast(
            self._device.type, dtype=torch.bfloat16, enabled=self._device.type == "cuda"
        ):
            output = self.network(mel, inputs)
        parts = _losses(output, batch)
        self._optimiser.zero_grad(set_to_none=True)
        parts["loss"].backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self._optimiser.step()
        self.step += 1
        return {name: value.detach() for name, value in parts.items()}

    def _report(self, sums: _Sums, on_point: Callable[[float, Point], None] | None) -> None:
        point = Point(
            minutes=round(self.elapsed_s / 60, 2),
            step=self.step,
            learning_rate=round(self._learning_rate(), 7),
            **sums.means(),
        )
        with self._curve_path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(point)) + "\n")
        if on_point is not None:
            on_point(self.progress, point)


def _losses(output: Output, batch: Batch) -> dict[str, Tensor]:
    device = output.logits.device
    tokens = functional.cross_entropy(
        output.logits.float().flatten(0, 1),
        torch.from_numpy(batch.targets).flatten().to(device),
        ignore_index=IGNORED,
        label_smoothing=_LABEL_SMOOTHING,
    )
    ctc = _ctc(output.ctc.float(), batch.phones)
    frames = torch.from_numpy(batch.frame_phones).flatten().to(device)
    phones = (
        functional.cross_entropy(output.phones.float().flatten(0, 1), frames, ignore_index=IGNORED)
        if bool((frames != IGNORED).any())
        else torch.zeros((), device=device)
    )
    attention = _attention(output.attention.float(), batch.spans)
    loss = tokens + _CTC_WEIGHT * ctc + _PHONE_WEIGHT * phones + _ATTENTION_WEIGHT * attention
    return {"loss": loss, "tokens": tokens, "ctc": ctc, "phones": phones, "attention": attention}


def _ctc(log_probabilities: Tensor, phones: Sequence[Sequence[int]]) -> Tensor:
    num_positions = log_probabilities.shape[1]
    lengths = torch.tensor([len(row) for row in phones])
    loss: Tensor = functional.ctc_loss(
        log_probabilities.transpose(0, 1),
        # Number 0 is the blank.
        torch.tensor([phone + 1 for row in phones for phone in row], dtype=torch.long),
        torch.full((len(phones),), num_positions),
        lengths,
        zero_infinity=True,
    )
    return loss


def _attention(attention: Tensor, spans: Sequence[Sequence[tuple[int, int, int]]]) -> Tensor:
    """How much of the attention is not where the word is: -log of the share inside its span."""
    rows = [
        (row, place, first, last)
        for row, items in enumerate(spans)
        for place, first, last in items
        if first < attention.shape[-1]
    ]
    if not rows:
        return torch.zeros((), device=attention.device)
    row, place, first, last = torch.tensor(rows, device=attention.device).T
    positions = torch.arange(attention.shape[-1], device=attention.device)[None]
    inside = (positions >= first[:, None] - _ATTENTION_MARGIN) & (
        positions <= last[:, None] + _ATTENTION_MARGIN
    )
    share = (attention[row, :, place] * inside[:, None]).sum(-1)
    loss: Tensor = -(share + 1e-6).log().mean()
    return loss
