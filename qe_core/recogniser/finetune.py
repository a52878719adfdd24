"""Fine-tuning a Whisper: low rate, warm-up, early stopping, and old weights mixed into the new."""

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qe_core.asr.base import Progress
from qe_core.config import FinetuneSettings
from qe_core.recogniser.finetune_model import (
    batches,
    loss_of,
    mean_loss,
    mix,
    trainable,
    weights_of,
)
from qe_core.recogniser.finetune_windows import IGNORED, Window

if TYPE_CHECKING:
    from qe_core.recogniser.finetune_model import Weights

__all__ = ["SHARES", "Lesson", "Tuning", "learning_rate_for", "tune"]

_log = logging.getLogger(__name__)

SHARES = (0.25, 0.5, 0.75, 1.0)
"""Shares of the new weights that are tried; the best on validation is kept."""

_WARM_UP_SHARE = 0.1
_WEIGHT_DECAY = 0.01
_MAX_NORM = 1.0
# OpenAI trained wider Whispers with lower rates; 40 times less than theirs is what its authors
# advise for fine-tuning, and this rule through the rate of "small" meets all sizes within a third.
_RATE = 1e-5
_RATE_WIDTH = 768


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is learnt from and what says when to stop.

    Args:
        train: corrected clips
        validation: corrected clips of other speakers
        replay: other speech, drawn anew in every pass, that must not be forgotten
        replay_validation: the same of other speakers
    """

    train: Sequence[Window]
    validation: Sequence[Window]
    replay: Sequence[Window] = ()
    replay_validation: Sequence[Window] = ()


@dataclass(frozen=True, slots=True)
class Tuning:
    """How a training went.

    Args:
        losses: validation loss before the training and after every pass
        train_losses: training loss of every pass
        share: of the new weights in the result; 0 when nothing beat the old ones
        share_losses: validation loss at each share that was tried
        learning_rate: highest rate
        num_steps: steps of the optimiser
        num_windows: windows that were learnt from, all passes together
        duration_s: wall time of the training
        device: ``cpu`` or ``cuda``
        stopped_by: ``patience``, ``epochs`` or ``time``
    """

    losses: tuple[float, ...]
    train_losses: tuple[float, ...]
    share: float
    share_losses: tuple[tuple[float, float], ...]
    learning_rate: float
    num_steps: int
    num_windows: int
    duration_s: float
    device: str
    stopped_by: str


def tune(
    model: Any, lesson: Lesson, settings: FinetuneSettings, on_progress: Progress | None = None
) -> Tuning:
    """Train a model in place; afterwards it holds the mixture that is best on validation.

    Args:
        model: a Hugging Face Whisper in single precision, on the device that trains it
        lesson: windows
        settings: rates, bounds and seed
        on_progress: told how far it is

    Returns:
        how it went

    References:
        A. Radford et al. (2022), Robust speech recognition via large-scale weak supervision,
        table 17 (learning rates). M. Wortsman et al. (2022), Robust fine-tuning of zero-shot
        models (WiSE-FT), CVPR.
    """
    tell = on_progress or (lambda _share, _text: None)
    course = _Course(model, lesson, settings, tell)
    before = weights_of(model)
    losses = [course.validate()]
    best, best_weights, best_epoch = losses[0], before, 0
    stopped_by = "epochs"
    for epoch in range(1, settings.max_epochs + 1):
        is_in_time = course.learn(epoch)
        losses.append(course.validate())
        _log.info("Pass %d: validation loss %.4f.", epoch, losses[-1])
        if losses[-1] < best:
            best, best_weights, best_epoch = losses[-1], weights_of(model), epoch
        if not is_in_time:
            stopped_by = "time"
            break
        if epoch - best_epoch >= settings.patience:
            stopped_by = "patience"
            break
    tell(0.95, "weighing old against new")
    share, share_losses = course.weigh(before, best_weights, losses[0])
    return Tuning(
        losses=tuple(losses),
        train_losses=tuple(course.train_losses),
        share=share,
        share_losses=share_losses,
        learning_rate=course.rate,
        num_steps=course.num_steps,
        num_windows=course.num_windows,
        duration_s=course.spent_s,
        device=model.device.type,
        stopped_by=stopped_by,
    )


def learning_rate_for(width: int) -> float:
    """Highest learning rate for a model of this width.

    Examples:
        >>> [float(f"{learning_rate_for(width):.1e}") for width in (384, 768, 1280)]
        [4e-05, 1e-05, 3.6e-06]
    """
    return _RATE * (_RATE_WIDTH / width) ** 2


class _Course:
    """One training: optimiser, draws and counters."""

    def __init__(
        self, model: Any, lesson: Lesson, settings: FinetuneSettings, tell: Progress
    ) -> None:
        import torch

        torch.manual_seed(settings.seed)
        self._model = model
        self._lesson = lesson
        self._settings = settings
        self._tell = tell
        self._rng = np.random.default_rng(settings.seed)
        self._started = time.monotonic()
        self._num_replay = _num_replay(lesson, settings.replay_share)
        per_epoch = len(lesson.train) + self._num_replay
        self._steps_per_epoch = math.ceil(per_epoch / settings.batch_size)
        self._max_steps = self._steps_per_epoch * settings.max_epochs
        self.rate = settings.learning_rate or learning_rate_for(model.config.d_model)
        self._optimiser = torch.optim.AdamW(
            trainable(model), lr=self.rate, betas=(0.9, 0.98), weight_decay=_WEIGHT_DECAY
        )
        # Gradients vanish in half precision unless they are scaled; elsewhere this does nothing.
        is_half = model.device.type == "cuda" and not torch.cuda.is_bf16_supported()
        self._scaler = torch.amp.GradScaler("cuda", enabled=is_half)
        self.train_losses: list[float] = []
        self.num_steps = 0
        self.num_windows = 0

    @property
    def spent_s(self) -> float:
        """Seconds since the training began."""
        return time.monotonic() - self._started

    def learn(self, epoch: int) -> bool:
        """Go once through the clips; whether there is time for more."""
        self._model.train()
        windows = self._draw()
        total, num_tokens = 0.0, 0
        size = self._settings.batch_size
        for start in range(0, len(windows), size):
            spent = self._step(windows[start : start + size])
            total, num_tokens = total + spent[0], num_tokens + spent[1]
            self._tell(
                0.95 * min(self.num_steps / self._max_steps, 1.0),
                f"training (pass {epoch} of at most {self._settings.max_epochs})",
            )
            if self.spent_s > 60 * self._settings.max_minutes:
                break
        self.train_losses.append(total / max(1, num_tokens))
        return self.spent_s <= 60 * self._settings.max_minutes

    def validate(self) -> float:
        """Loss on the clips that do not teach; replayed speech counts as much as corrections."""
        size = self._settings.micro_batch_size
        parts = [part for part in (self._lesson.validation, self._lesson.replay_validation) if part]
        return float(np.mean([mean_loss(self._model, part, size) for part in parts]))

    def weigh(
        self, before: "Weights", after: "Weights", loss_before: float
    ) -> tuple[float, tuple[tuple[float, float], ...]]:
        """Leave the model with the mixture of old and new weights that validates best."""
        tried = [(0.0, loss_before)]
        if after is not before:
            for share in SHARES:
                mix(self._model, before, after, share)
                tried.append((share, self.validate()))
        share = min(tried, key=lambda item: item[1])[0]
        mix(self._model, before, after, share)
        return share, tuple(tried)

    def _draw(self) -> list[Window]:
        replay = self._rng.permutation(len(self._lesson.replay))[: self._num_replay]
        windows = [*self._lesson.train, *(self._lesson.replay[index] for index in replay)]
        return [windows[index] for index in self._rng.permutation(len(windows))]

    def _step(self, windows: Sequence[Window]) -> tuple[float, int]:
        import torch

        modes = [bool(mode) for mode in self._rng.integers(2, size=len(windows))]
        num_tokens = sum(
            len(window.labels(is_timed=mode)) - window.labels(is_timed=mode).count(IGNORED)
            for window, mode in zip(windows, modes, strict=True)
        )
        total = 0.0
        size = self._settings.micro_batch_size
        for features, tokens, labels in batches(windows, modes, size, self._model):
            loss = loss_of(self._model, features, tokens, labels)
            torch.autograd.backward(self._scaler.scale(loss / num_tokens))
            total += loss.item()
        self._scaler.unscale_(self._optimiser)
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), _MAX_NORM)
        for group in self._optimiser.param_groups:
            group["lr"] = self.rate * _schedule(self.num_steps, self._max_steps)
        self._scaler.step(self._optimiser)
        self._scaler.update()
        self._optimiser.zero_grad(set_to_none=True)
        self.num_steps += 1
        self.num_windows += len(windows)
        return total, num_tokens


def _num_replay(lesson: Lesson, share: float) -> int:
    """Windows of replayed speech in a pass, so that they make up the share."""
    wanted = round(len(lesson.train) * share / (1 - share))
    return min(wanted, len(lesson.replay))


def _schedule(step: int, max_steps: int) -> float:
    """Share of the highest rate: up in a straight line, then down in one."""
    warm_up = max(1, round(_WARM_UP_SHARE * max_steps))
    if step < warm_up:
        return (step + 1) / warm_up
    return max(0.05, (max_steps - step) / max(1, max_steps - warm_up))
