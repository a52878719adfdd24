"""Synthetic speech with references, as audio files and a manifest."""

import json
from pathlib import Path

import numpy as np
import soundfile

from jobs.console import ProgressLine, say
from qe_core.recogniser.grammar import sentences
from qe_core.recogniser.measure import UNKNOWN_VOICES
from qe_core.recogniser.voices import ESPEAK_VOICES, FLITE_VOICES, speak
from qe_core.types import SAMPLE_RATE_HZ

__all__ = ["speak_sentences"]

_SHARE_FLITE = 0.4


def speak_sentences(count: int, out: Path, *, seed: int) -> Path:
    """Say sentences that no recogniser of ours was trained on, each in one of many voices.

    Args:
        count: how many
        out: gets ``synthetic/*.flac`` and ``synthetic.jsonl``
        seed: draws sentences, voices, speed and pitch

    Returns:
        path of the manifest

    Raises:
        TrainingError: a synthesiser is not on this machine
    """
    folder = out / "synthetic"
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    progress = ProgressLine(str(out))
    others = (*ESPEAK_VOICES, *UNKNOWN_VOICES)
    lines = []
    for number, text in enumerate(sentences(count, held_out=True, seed=seed)):
        voice = str(rng.choice(FLITE_VOICES if rng.random() < _SHARE_FLITE else others))
        spoken = speak(text, voice, rate=rng.uniform(0.8, 1.2), pitch=rng.uniform(0.2, 0.8))
        path = folder / f"{number:05d}.flac"
        soundfile.write(path, spoken.samples, SAMPLE_RATE_HZ, subtype="PCM_16")
        row = {
            "audio_filepath": f"synthetic/{path.name}",
            "duration": round(len(spoken.samples) / SAMPLE_RATE_HZ, 3),
            "text": text,
            "speaker": voice,
            "source": "synthetic",
            "language": "en",
        }
        lines.append(json.dumps(row, ensure_ascii=False))
        progress((number + 1) / count, f"{number + 1} of {count} sentences")
    manifest = out / "synthetic.jsonl"
    manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
    progress.clear()
    say(f"{manifest} is complete.")
    return manifest
