"""From a fine-tuned checkpoint to a folder that faster-whisper loads."""

import json
import shutil
from pathlib import Path
from typing import Any

from qe_core.errors import TrainingError

__all__ = ["CHECKPOINT", "export"]

CHECKPOINT = "checkpoint"
"""Folder beside ``model.bin`` that holds the checkpoint it was made from."""

_WEIGHTS = "model.bin"
_VOCABULARIES = ("vocabulary.json", "vocabulary.txt")


def export(checkpoint: Path, serving: Path, folder: Path) -> None:
    """Convert a checkpoint to 8-bit CTranslate2 weights.

    Fine-tuning changes weights and nothing else, so tokenizer, vocabulary and decoding
    configuration are those of the serving model, to the byte.

    Args:
        checkpoint: Hugging Face folder of the fine-tuned model; may lie inside ``folder``
        serving: CTranslate2 folder of the model that it comes from
        folder: gets ``model.bin`` and the other files

    Raises:
        TrainingError: the checkpoint is not of the serving model
    """
    fresh = folder.with_name(f"{folder.name}-converting")
    _converter(checkpoint, serving).convert(str(fresh), quantization="int8", force=True)
    if _vocabulary(fresh) != _vocabulary(serving):
        shutil.rmtree(fresh)
        raise TrainingError(
            f"{checkpoint.name}: its vocabulary is not that of the serving recogniser.",
            suggestion="Set finetune.checkpoint to the checkpoint that the serving model was "
            "converted from.",
            code="checkpoint",
        )
    folder.mkdir(parents=True, exist_ok=True)
    for path in serving.iterdir():
        if path.is_file() and path.name != _WEIGHTS and path.suffix in {".json", ".txt"}:
            shutil.copyfile(path, folder / path.name)
    (fresh / _WEIGHTS).replace(folder / _WEIGHTS)
    shutil.rmtree(fresh)


def _converter(checkpoint: Path, serving: Path) -> Any:
    from ctranslate2.converters import TransformersConverter
    from tokenizers import Tokenizer

    class Converter(TransformersConverter):  # type: ignore[misc]  # the package has no types
        """Reads the serving model's tokenizer: Transformers adds tokens to small vocabularies."""

        def load_tokenizer(self, *_: object, **__: object) -> Any:
            return Tokenizer.from_file(str(serving / "tokenizer.json"))

    return Converter(str(checkpoint))


def _vocabulary(folder: Path) -> list[str]:
    for name in _VOCABULARIES:
        path = folder / name
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            words: list[str] = json.loads(text) if path.suffix == ".json" else text.splitlines()
            return words
    return []
