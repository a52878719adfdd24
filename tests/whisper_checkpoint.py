"""A tiny Whisper as a Hugging Face checkpoint with random weights, and its CTranslate2 folder."""

import json
import shutil
from pathlib import Path

import torch
from ctranslate2.converters import TransformersConverter
from tokenizers import Tokenizer
from transformers import GenerationConfig, WhisperConfig, WhisperForConditionalGeneration

from qe_core.recogniser.dataset import SpokenClip
from tests.whisper_model import make_whisper
from workbench.intake import sample_manifest

WIDTH = 32


def make_checkpoint(folder: Path, *, seed: int = 1) -> Path:
    """Write a CTranslate2 folder with ``checkpoint/`` in it, as Werkbench ships its own.

    Returns:
        the CTranslate2 folder
    """
    checkpoint = folder / "checkpoint"
    checkpoint.mkdir(parents=True)
    make_whisper(folder)  # for its tokenizer; its weights are replaced
    for name in ("tokenizer.json", "preprocessor_config.json"):
        shutil.copyfile(folder / name, checkpoint / name)
    tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    ends = tokenizer.token_to_id("<|endoftext|>")
    torch.manual_seed(seed)
    model = WhisperForConditionalGeneration(
        WhisperConfig(
            vocab_size=tokenizer.get_vocab_size(),
            d_model=WIDTH,
            encoder_layers=1,
            decoder_layers=1,
            encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=2 * WIDTH,
            decoder_ffn_dim=2 * WIDTH,
            dropout=0.0,
            bos_token_id=ends,
            eos_token_id=ends,
            pad_token_id=ends,
            decoder_start_token_id=tokenizer.token_to_id("<|startoftranscript|>"),
            suppress_tokens=None,
            begin_suppress_tokens=None,
        )
    )
    model.generation_config = GenerationConfig(
        suppress_tokens=[],
        begin_suppress_tokens=[ends],
        alignment_heads=[[0, 0], [0, 1]],
        lang_to_id={},
    )
    model.half().save_pretrained(checkpoint)
    (checkpoint / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"})
    )
    converted = folder / "converted"
    TransformersConverter(str(checkpoint)).convert(str(converted), quantization="int8")
    for path in converted.iterdir():
        path.replace(folder / path.name)
    converted.rmdir()
    return folder


def spoken_clips(num_copies: int = 1) -> list[SpokenClip]:
    """The sample clips with their references, each by a speaker of its own per copy."""
    return [
        SpokenClip(
            id=f"{path.stem}-{copy}",
            audio=path,
            text=entry["text"],
            speaker=f"{path.stem}-{copy}",
            duration_s=entry["duration"],
            snr_db=20.0,
        )
        for copy in range(num_copies)
        for path, entry in sample_manifest()
    ]
