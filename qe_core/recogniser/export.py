"""From a trained network to files: a Hugging Face checkpoint and a CTranslate2 model."""

import json
import shutil
from pathlib import Path
from typing import Any

from qe_core.errors import TrainingError
from qe_core.recogniser.network import LAST_POSITION, NUM_POSITIONS, Network
from qe_core.recogniser.tokens import Tokens

__all__ = ["convert_checkpoint", "save_checkpoint"]

_TARGET_POSITIONS = 448
_COPIED = ("tokenizer.json", "preprocessor_config.json")
# The network heard nothing but padding behind this; faster-whisper cuts its windows accordingly.
_CHUNK_S = LAST_POSITION * 30 // NUM_POSITIONS


def save_checkpoint(network: Network, tokens: Tokens, folder: Path) -> None:
    """Write a Hugging Face Whisper checkpoint in half precision.

    Args:
        network: trained; its helper heads stay behind
        tokens: its vocabulary
        folder: is created; files of the same name are replaced
    """
    from transformers import GenerationConfig, WhisperConfig, WhisperForConditionalGeneration

    shape = network.shape
    config = WhisperConfig(
        vocab_size=shape.vocabulary,
        d_model=shape.width,
        encoder_layers=shape.encoder_layers,
        decoder_layers=shape.decoder_layers,
        encoder_attention_heads=shape.heads,
        decoder_attention_heads=shape.heads,
        encoder_ffn_dim=shape.hidden,
        decoder_ffn_dim=shape.hidden,
        max_source_positions=NUM_POSITIONS,
        max_target_positions=_TARGET_POSITIONS,
        bos_token_id=tokens.end,
        eos_token_id=tokens.end,
        pad_token_id=tokens.end,
        decoder_start_token_id=tokens.start,
        dropout=0.0,
        tie_word_embeddings=True,
    )
    model = WhisperForConditionalGeneration(config)
    weights = {
        f"model.{name}": value
        for name, value in network.state_dict().items()
        if name.startswith(("encoder.", "decoder."))
    }
    weights["proj_out.weight"] = weights["model.decoder.embed_tokens.weight"]
    model.load_state_dict(weights)
    model.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]  # untyped there
        alignment_heads=[[shape.decoder_layers - 1, head] for head in (0, 1)],
        begin_suppress_tokens=[tokens.space, tokens.end],
        suppress_tokens=[],
        lang_to_id={},
        is_multilingual=False,
        no_timestamps_token_id=tokens.no_timestamps,
        max_initial_timestamp_index=50,
        max_length=_TARGET_POSITIONS,
        bos_token_id=tokens.end,
        eos_token_id=tokens.end,
        pad_token_id=tokens.end,
        decoder_start_token_id=tokens.start,
    )
    folder.mkdir(parents=True, exist_ok=True)
    model.half().save_pretrained(folder)  # type: ignore[no-untyped-call]  # untyped there
    tokens.tokenizer.save(str(folder / "tokenizer.json"))
    _write(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast"})
    _write(
        folder / "preprocessor_config.json",
        {
            "feature_extractor_type": "WhisperFeatureExtractor",
            "feature_size": 80,
            "sampling_rate": 16000,
            "hop_length": 160,
            "n_fft": 400,
            "chunk_length": _CHUNK_S,
        },
    )


def convert_checkpoint(checkpoint: Path, folder: Path, *, quantization: str = "int8") -> None:
    """Convert a Hugging Face Whisper checkpoint for faster-whisper.

    Args:
        checkpoint: with weights, ``tokenizer.json`` and ``preprocessor_config.json``
        folder: gets ``model.bin`` and what belongs to it; what was there is replaced at the end
        quantization: of the weights, as CTranslate2 names it

    Raises:
        TrainingError: the checkpoint is not a Whisper that can be converted
    """
    from ctranslate2.converters import TransformersConverter

    temporary = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        TransformersConverter(
            str(checkpoint), copy_files=[name for name in _COPIED if (checkpoint / name).is_file()]
        ).convert(str(temporary), quantization=quantization)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise TrainingError(
            f"{checkpoint}: cannot be converted ({error}).",
            suggestion="Give the folder of a Hugging Face Whisper checkpoint with its tokenizer.",
        ) from error
    shutil.rmtree(folder, ignore_errors=True)
    temporary.replace(folder)


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
