"""A Whisper's weights: read, batched, measured, mixed and written."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from qe_core.errors import TrainingError
from qe_core.recogniser.finetune_windows import IGNORED, Window

if TYPE_CHECKING:
    import torch

    Tensor = torch.Tensor
    Weights = Mapping[str, Tensor]

__all__ = [
    "autocast",
    "batches",
    "load_model",
    "loss_of",
    "mean_loss",
    "mix",
    "save_model",
    "weights_of",
]

_WEIGHT_FILES = ("*.safetensors", "*.safetensors.index.json", "*.bin", "*.bin.index.json")


def load_model(checkpoint: Path) -> Any:
    """Read a Hugging Face Whisper checkpoint in single precision.

    Raises:
        TrainingError: the folder holds no usable Whisper checkpoint
    """
    import torch
    from transformers import WhisperForConditionalGeneration
    from transformers.utils import logging

    quiet: Any = logging.disable_progress_bar
    quiet()
    try:
        return WhisperForConditionalGeneration.from_pretrained(
            checkpoint, local_files_only=True, dtype=torch.float32
        )
    # Transformers, safetensors and PyTorch raise whatever they like for a damaged folder.
    except Exception as error:
        raise TrainingError(
            f"{checkpoint}: not a usable Whisper checkpoint ({str(error).splitlines()[0]}).",
            suggestion="Set finetune.checkpoint to a Hugging Face folder with config.json and "
            "model.safetensors.",
            code="checkpoint",
        ) from error


def save_model(model: Any, checkpoint: Path, folder: Path) -> None:
    """Write a model as a checkpoint, in the precision and with the other files of the one before.

    Args:
        model: the trained model
        checkpoint: where it came from
        folder: gets weights and configuration
    """
    import shutil

    import torch

    config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    name = config.get("dtype") or config.get("torch_dtype") or "float32"
    folder.mkdir(parents=True, exist_ok=True)
    model.to(getattr(torch, name)).save_pretrained(folder)
    weights = {path.name for pattern in _WEIGHT_FILES for path in checkpoint.glob(pattern)}
    for path in checkpoint.iterdir():
        if path.is_file() and path.name not in weights and path.suffix in {".json", ".txt"}:
            shutil.copyfile(path, folder / path.name)


def batches(
    windows: Sequence[Window], modes: Sequence[bool], size: int, model: Any
) -> Iterator[tuple["Tensor", "Tensor", "Tensor"]]:
    """Stack windows as the model takes them.

    Args:
        windows: in the order in which they are wanted
        modes: of each, whether it is written with timestamps
        size: windows per batch
        model: its configuration says how long its input is

    Yields:
        features of shape ``(size, num_mels, num_frames)``, padded with zeros as faster-whisper
        pads; tokens and labels of shape ``(size, num_tokens)``
    """
    import torch

    config = model.config
    num_frames = 2 * config.max_source_positions
    for start in range(0, len(windows), size):
        chosen = list(zip(windows, modes, strict=True))[start : start + size]
        features = np.zeros((len(chosen), config.num_mel_bins, num_frames), np.float32)
        longest = max(len(window.tokens(is_timed=mode)) for window, mode in chosen) - 1
        tokens = np.full((len(chosen), longest), config.eos_token_id, np.int64)
        labels = np.full((len(chosen), longest), IGNORED, np.int64)
        for row, (window, mode) in enumerate(chosen):
            frames = np.load(window.features, allow_pickle=False)
            features[row, :, : frames.shape[1]] = frames
            given = window.tokens(is_timed=mode)[:-1]
            tokens[row, : len(given)] = given
            labels[row, : len(given)] = window.labels(is_timed=mode)
        device = model.device
        yield (
            torch.from_numpy(features).to(device),
            torch.from_numpy(tokens).to(device),
            torch.from_numpy(labels).to(device),
        )


def loss_of(model: Any, features: "Tensor", tokens: "Tensor", labels: "Tensor") -> "Tensor":
    """Summed cross-entropy of the labels."""
    from torch.nn.functional import cross_entropy

    with autocast(model.device):
        logits = model(input_features=features, decoder_input_ids=tokens).logits
    return cross_entropy(
        logits.float().flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="sum"
    )


def mean_loss(model: Any, windows: Sequence[Window], size: int) -> float:
    """Cross-entropy per token over both modes of all windows; the model is left evaluating."""
    import torch

    model.eval()
    total, num_tokens = 0.0, 0
    with torch.no_grad():
        for is_timed in (False, True):
            for features, tokens, labels in batches(
                windows, [is_timed] * len(windows), size, model
            ):
                total += float(loss_of(model, features, tokens, labels))
                num_tokens += int((labels != IGNORED).sum())
    return total / max(1, num_tokens)


def weights_of(model: Any) -> dict[str, "Tensor"]:
    """A copy of all trainable weights, in main memory."""
    return {name: value.detach().cpu().clone() for name, value in model.named_parameters()}


def mix(model: Any, before: "Weights", after: "Weights", share: float) -> None:
    """Set the weights to a mean of those before and after the training.

    Args:
        model: gets the weights
        before: of the serving model
        after: of the trained one
        share: of the trained one, in [0, 1]

    References:
        M. Wortsman et al. (2022), Robust fine-tuning of zero-shot models (WiSE-FT), CVPR, eq. 1.
    """
    import torch

    with torch.no_grad():
        for name, value in model.named_parameters():
            value.copy_(torch.lerp(before[name], after[name], share))


def autocast(device: Any) -> AbstractContextManager[Any]:
    """Mixed precision where there is a GPU; on a processor it would be slower."""
    import torch

    if device.type != "cuda":
        return nullcontext()
    is_bf16 = torch.cuda.is_bf16_supported()
    return torch.autocast("cuda", dtype=torch.bfloat16 if is_bf16 else torch.float16)


def trainable(model: Any) -> Iterable["Tensor"]:
    """The weights that are trained; fixed position encodings are not."""
    return [value for value in model.parameters() if value.requires_grad]
