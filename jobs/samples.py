"""Makes ``sample_audio``: spoken sentences in good and bad conditions, with references.

Run it as ``python -m jobs.samples [FOLDER]``; it needs flite (Debian: ``apt install flite``). The
same flite gives the same files.
"""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import av
import numpy as np
import typer
from av.audio.stream import AudioStream
from scipy import signal

from jobs.console import exit_on_error, say
from qe_core.audio import decode
from qe_core.config import AudioSettings, bundled_path
from qe_core.corpus.degrade import add_noise, clip, make_quiet, reverberate, telephone
from qe_core.errors import EngineError
from qe_core.types import SAMPLE_RATE_HZ, FloatArray

__all__ = ["PLANS", "Plan", "make_samples", "write_audio"]

_SEED = 20260101
_PEAK = 0.6
_PAUSE_S = 0.35
_TELEPHONE_RATE_HZ = 8_000
# Codec, sample format and bit rate by file ending.
_CODECS: dict[str, tuple[str, str, int | None]] = {
    ".flac": ("flac", "s16", None),
    ".ogg": ("libopus", "s16", 32_000),
    ".mp3": ("libmp3lame", "s16p", 64_000),
    ".m4a": ("aac", "fltp", 64_000),
    ".webm": ("libopus", "s16", 32_000),
    ".wav": ("pcm_mulaw", "s16", None),
}

Condition = Callable[[FloatArray, np.random.Generator], FloatArray]


@dataclass(frozen=True, slots=True)
class Plan:
    """One sample clip to be made.

    Args:
        file_name: its ending decides the format
        voice: name of a flite voice
        sentences: spoken with a pause between them; numbers are written as words
        condition: short name for the manifest
        change: what happens to the clean speech
        sample_rate_hz: rate after the change
    """

    file_name: str
    voice: str
    sentences: tuple[str, ...]
    condition: str = "clean"
    change: Condition | None = None
    sample_rate_hz: int = SAMPLE_RATE_HZ


def _in_traffic(snr_db: float) -> Condition:
    def change(samples: FloatArray, rng: np.random.Generator) -> FloatArray:
        return add_noise(samples, _pink_noise(20.0, rng), snr_db, rng)

    return change


def _in_a_room(decay_s: float) -> Condition:
    def change(samples: FloatArray, rng: np.random.Generator) -> FloatArray:
        return reverberate(samples, _room(decay_s, rng))

    return change


def _on_the_telephone(snr_db: float) -> Condition:
    def change(samples: FloatArray, rng: np.random.Generator) -> FloatArray:
        return telephone(add_noise(samples, _pink_noise(20.0, rng), snr_db, rng))

    return change


PLANS: tuple[Plan, ...] = (
    Plan(
        "support_call.flac",
        "slt",
        ("Thank you for calling. I can see that your parcel left the warehouse this morning.",),
    ),
    Plan(
        "budget_meeting.flac",
        "rms",
        ("Before we close, could somebody send the new budget to the whole team by Friday?",),
    ),
    Plan(
        "new_address.m4a",
        "awb",
        ("My new address is fifteen Garden Street, on the second floor, next to the bakery.",),
    ),
    Plan(
        "order_number.mp3",
        "kal",
        ("The order number is seven four nine two, and the total comes to sixty three dollars.",),
    ),
    Plan(
        "waiting_room.ogg",
        "slt",
        ("The doctor is running late today, so please take a seat and we will call your name.",),
        "noise:20dB",
        _in_traffic(20.0),
    ),
    Plan(
        "street_directions.ogg",
        "rms",
        ("Turn left after the bridge, and you will see the station on your right hand side.",),
        "noise:10dB",
        _in_traffic(10.0),
    ),
    Plan(
        "windy_platform.webm",
        "awb",
        ("The train to the airport leaves from platform nine in about twenty minutes.",),
        "noise:0dB",
        _in_traffic(0.0),
    ),
    Plan(
        "bank_hotline.wav",
        "slt",
        ("For security reasons, please tell me the last four digits of your account.",),
        "telephone:30dB",
        _on_the_telephone(30.0),
        _TELEPHONE_RATE_HZ,
    ),
    Plan(
        "mobile_complaint.wav",
        "rms",
        ("I have been waiting for two weeks, and nobody has returned any of my calls.",),
        "telephone:10dB",
        _on_the_telephone(10.0),
        _TELEPHONE_RATE_HZ,
    ),
    Plan(
        "overdriven_headset.flac",
        "awb",
        ("Can you hear me now? I think there is something wrong with this microphone.",),
        "clip:15dB",
        lambda samples, _: clip(samples, 15.0),
    ),
    Plan(
        "meeting_hall.flac",
        "rms",
        ("The next item on the agenda is the plan for the summer and who will be away.",),
        "room:0.6s",
        _in_a_room(0.6),
    ),
    Plan(
        "far_from_the_microphone.flac",
        "slt",
        ("Could you repeat the last sentence? I did not write down the second name.",),
        "quiet:-52dBFS",
        lambda samples, _: make_quiet(samples, -52.0),
    ),
    Plan(
        "voice_message.flac",
        "slt",
        (
            "Hello, this is Susan from the garage.",
            "Your car is ready, and you can pick it up any time before six.",
            "We changed the oil and two of the tires, but the radio still makes that noise.",
            "If you want us to look at it again, please call me back tomorrow.",
            "Have a nice evening.",
        ),
    ),
)


def make_samples(folder: Path, plans: Iterable[Plan] = PLANS) -> Path:
    """Speak, degrade and store every planned clip, and write the manifest.

    Args:
        folder: where to put them; files of the same names are replaced
        plans: what to make

    Returns:
        path of ``manifest.jsonl``

    Raises:
        EngineError: flite is missing or lacks a voice
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for index, plan in enumerate(plans):
        samples = _speak(plan.sentences, plan.voice)
        if plan.change is not None:
            # Every clip has its own generator: a new one changes none of the others.
            samples = plan.change(samples, np.random.default_rng((_SEED, index)))
        write_audio(folder / plan.file_name, samples, plan.sample_rate_hz)
        rows.append(
            {
                "audio_filepath": plan.file_name,
                "duration": round(len(samples) / plan.sample_rate_hz, 2),
                "text": " ".join(plan.sentences),
                "condition": plan.condition,
                "speaker": f"flite-{plan.voice}",
            }
        )
    manifest = folder / "manifest.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return manifest


def write_audio(path: Path, samples: FloatArray, sample_rate_hz: int) -> None:
    """Store mono samples in the format that the ending of the path asks for.

    Args:
        path: ends in ``.flac``, ``.ogg``, ``.mp3``, ``.m4a``, ``.webm`` or ``.wav`` (mu-law)
        samples: in [-1, 1], shape ``(num_samples,)``
        sample_rate_hz: rate of the samples and of the file
    """
    codec, sample_format, bit_rate = _CODECS[path.suffix]
    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream(codec, rate=sample_rate_hz)
        if not isinstance(stream, AudioStream):
            raise TypeError(f"{codec} is no audio codec")
        stream.layout = "mono"
        stream.format = sample_format
        if bit_rate is not None:
            stream.bit_rate = bit_rate
        stream.codec_context.open()
        resampler = av.AudioResampler(
            sample_format, "mono", sample_rate_hz, stream.codec_context.frame_size or 1024
        )
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples[np.newaxis], np.float32), format="flt", layout="mono"
        )
        frame.sample_rate = sample_rate_hz
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))


def _speak(sentences: Iterable[str], voice: str) -> FloatArray:
    flite = shutil.which("flite")
    if flite is None:
        raise EngineError(
            "flite: not installed, so no sentence can be spoken.",
            suggestion="Install it (Debian, Ubuntu: apt install flite); the clips themselves "
            "are part of the project.",
        )
    pause = np.zeros(round(_PAUSE_S * SAMPLE_RATE_HZ), dtype=np.float32)
    pieces = [pause]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        for sentence in sentences:
            subprocess.run(  # noqa: S603 - the program found above, our own sentences
                [flite, "-voice", voice, "-t", sentence, "-o", str(path)],
                check=True,
                capture_output=True,
            )
            pieces += [decode(path, name=path.name, limits=AudioSettings()).samples, pause]
    speech = np.concatenate(pieces)
    return np.asarray(speech * (_PEAK / np.abs(speech).max()), np.float32)


def _pink_noise(duration_s: float, rng: np.random.Generator) -> FloatArray:
    """Noise with as much power in every octave, like wind and distant traffic."""
    num_samples = round(duration_s * SAMPLE_RATE_HZ)
    spectrum = np.fft.rfft(rng.standard_normal(num_samples))
    frequencies = np.fft.rfftfreq(num_samples, 1 / SAMPLE_RATE_HZ)
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(frequencies, 20.0)), num_samples)
    return np.asarray(noise / np.abs(noise).max(), np.float32)


def _room(decay_s: float, rng: np.random.Generator) -> FloatArray:
    """Impulse response of a hall: the direct sound and noise that falls by 60 dB in ``decay_s``."""
    times_s = np.arange(round(decay_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    tail = rng.standard_normal(len(times_s)) * 10 ** (-3 * times_s / decay_s)
    low_pass = signal.butter(1, 4000, fs=SAMPLE_RATE_HZ, output="sos")
    response = 0.05 * signal.sosfilt(low_pass, tail)
    response[0] = 1.0
    return np.asarray(response, np.float32)


def main(
    folder: Annotated[Path | None, typer.Argument(help="sample_audio of the project")] = None,
) -> None:
    """Make the sample clips."""
    with exit_on_error():
        say(f"{make_samples(folder or bundled_path('sample_audio'))} is complete.")


if __name__ == "__main__":
    typer.run(main)
