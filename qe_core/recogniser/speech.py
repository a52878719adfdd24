"""The speech that a recogniser learns from: synthetic and recorded, kept as mel spectrograms."""

import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from qe_core.audio import decode
from qe_core.config import AudioSettings
from qe_core.corpus.degrade import reverberate
from qe_core.corpus.split import is_held_out
from qe_core.errors import TrainingError
from qe_core.recogniser.grammar import sentences
from qe_core.recogniser.voices import ESPEAK_VOICES, FLITE_VOICES, PHONES, phones_of, speak
from qe_core.types import SAMPLE_RATE_HZ, Audio, FloatArray
from qe_core.vad import find_speech

__all__ = [
    "FRAMES_PER_S",
    "Speech",
    "SpeechPlan",
    "as_sentence",
    "build_speech",
    "load_noises",
    "load_speech",
    "log_mel",
    "read_rows",
    "texts_of",
]

FRAMES_PER_S = 100
_NUM_MELS = 80
_FLOOR = 1e-10
_SHARD = 400
_MAX_DURATION_S = 9.5
_FRAME_PHONE_S = 0.02
_SHARE_FLITE = 0.5
_SHARE_ROOM = 0.15
_LIMITS = AudioSettings(min_size_bytes=1, min_duration_s=0.05)


@dataclass(frozen=True, slots=True)
class SpeechPlan:
    """What to make.

    Args:
        num_sentences: synthetic ones, each by one voice
        manifest: recorded speech with ``audio_filepath``, ``text``, ``speaker``, ``source`` and
            ``language``; English rows of speakers that are not held out are taken
        noise_manifest: rows of kind ``rir`` put some synthetic sentences into rooms, rows of kind
            ``noise`` are mixed in while training
        seed: the same plan makes the same speech
    """

    num_sentences: int
    manifest: Path | None = None
    noise_manifest: Path | None = None
    seed: int = 20260101


@dataclass(frozen=True, slots=True)
class Speech:
    """One sentence of one speaker.

    Args:
        mel: log10 of the mel power, not normalised, shape ``(num_frames, 80)``, 100 frames/s
        text: what is said
        speaker: voice or person
        start_s: where speech begins
        end_s: where speech ends
        words: (start, end) in seconds per word, or empty
        phones: numbers into ``PHONES``, without silence
        frame_phones: the phone at each 20 ms, or empty where it is not known
    """

    mel: FloatArray
    text: str
    speaker: str
    start_s: float
    end_s: float
    words: tuple[tuple[float, float], ...]
    phones: tuple[int, ...]
    frame_phones: tuple[int, ...]


def log_mel(samples: FloatArray) -> FloatArray:
    """Mel power as faster-whisper computes it, before its normalisation.

    Args:
        samples: 16 kHz mono, shape ``(num_samples,)``

    Returns:
        log10 power, float32, shape ``(num_frames, 80)``, 100 frames per second
    """
    extractor = _extractor()
    window = np.hanning(extractor.n_fft + 1)[:-1].astype(np.float32)
    spectrum = extractor.stft(
        np.pad(samples, (0, 160)),
        extractor.n_fft,
        extractor.hop_length,
        window=window,
        return_complex=True,
    )
    power = extractor.mel_filters @ np.square(np.abs(spectrum[..., :-1]))
    return np.asarray(np.log10(np.maximum(power, _FLOOR)).T, np.float32)


def build_speech(
    plan: SpeechPlan,
    folder: Path,
    *,
    num_processes: int = 2,
    on_progress: Callable[[int, int], None] | None = None,
) -> None:
    """Make all speech of a plan; started again, it makes only what is missing.

    Args:
        plan: what to make
        folder: gets ``<shard>.npy`` and ``<shard>.jsonl``
        num_processes: synthesisers at work at the same time
        on_progress: called with (done, all) after each shard

    Raises:
        TrainingError: a manifest cannot be read, or a synthesiser is not there
    """
    folder.mkdir(parents=True, exist_ok=True)
    tasks = [*_synthetic_tasks(plan), *_recorded_tasks(plan)]
    shards = [tasks[index : index + _SHARD] for index in range(0, len(tasks), _SHARD)]
    missing = [
        (shard, folder / f"{number:04d}")
        for number, shard in enumerate(shards)
        if not (folder / f"{number:04d}.jsonl").is_file()
    ]
    done = len(shards) - len(missing)
    rooms = read_rows(plan.noise_manifest, "rir") if plan.noise_manifest else ()
    with ProcessPoolExecutor(num_processes, mp_context=get_context("spawn")) as pool:
        for _ in pool.map(_make_shard, [(*job, rooms) for job in missing]):
            done += 1
            if on_progress is not None:
                on_progress(done, len(shards))


def texts_of(plan: SpeechPlan) -> list[str]:
    """All texts of a plan, known before any speech is made."""
    return [task.text for task in (*_synthetic_tasks(plan), *_recorded_tasks(plan))]


def load_speech(folder: Path) -> list[Speech]:
    """Read what :func:`build_speech` made; spectrograms stay on disk until they are used.

    Raises:
        TrainingError: there is nothing in the folder
    """
    items: list[Speech] = []
    for path in sorted(folder.glob("*.jsonl")):
        mels = np.load(path.with_suffix(".npy"), mmap_mode="r")
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            first, last = row["frames"]
            items.append(
                Speech(
                    mel=mels[first:last],
                    text=row["text"],
                    speaker=row["speaker"],
                    start_s=row["start_s"],
                    end_s=row["end_s"],
                    words=tuple((start_s, end_s) for start_s, end_s in row["words"]),
                    phones=tuple(row["phones"]),
                    frame_phones=tuple(row["frame_phones"]),
                )
            )
    if not items:
        raise TrainingError(
            f"{folder}: no speech to learn from.",
            suggestion="Make it first: werkbench recogniser speech --help.",
        )
    return items


def load_noises(noise_manifest: Path, *, held_out: bool) -> list[FloatArray]:
    """Mel power (log10, not normalised) of the noises on one side of the split.

    Raises:
        TrainingError: the manifest cannot be read
    """
    return [
        log_mel(_load(noise_manifest.parent / row["audio_filepath"]).samples)
        for row in read_rows(noise_manifest, "noise")
        if is_held_out(row["label"]) == held_out
    ]


def read_rows(manifest: Path, kind: str | None = None) -> tuple[dict[str, Any], ...]:
    """Rows of a manifest, or those of one kind, each with the ``path`` of its audio.

    Raises:
        TrainingError: the manifest cannot be read
    """
    try:
        rows: Iterable[dict[str, Any]] = [
            json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines() if line
        ]
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"{manifest}: cannot be read as a manifest ({error}).",
            suggestion="Give a JSON Lines file with one clip per line.",
        ) from error
    return tuple(
        row | {"path": str(manifest.parent / row["audio_filepath"])}
        for row in rows
        if kind is None or row.get("kind") == kind
    )


def as_sentence(text: str) -> str:
    """Give a transcript the form that synthetic sentences have: capital, small letters, full stop.

    Examples:
        >>> as_sentence("WE CALL IT BEAR")
        'We call it bear.'
        >>> as_sentence("Was it there?")
        'Was it there?'
    """
    words = " ".join(text.split())
    if words.isupper() or words.islower():
        words = " ".join("I" if word == "i" else word for word in words.lower().split())
    words = words[0].upper() + words[1:]
    return words if words[-1] in ".?!" else f"{words}."


@dataclass(frozen=True, slots=True)
class _Task:
    text: str
    voice: str
    seed: int
    path: Path | None = None


def _synthetic_tasks(plan: SpeechPlan) -> list[_Task]:
    rng = np.random.default_rng(plan.seed)
    # The two families sound very different: each gets half of the sentences.
    return [
        _Task(
            text,
            str(rng.choice(FLITE_VOICES if rng.random() < _SHARE_FLITE else ESPEAK_VOICES)),
            seed,
        )
        for seed, text in enumerate(sentences(plan.num_sentences, held_out=False, seed=plan.seed))
    ]


def _recorded_tasks(plan: SpeechPlan) -> list[_Task]:
    if plan.manifest is None:
        return []
    return [
        _Task(
            as_sentence(row["text"]),
            row["speaker"],
            0,
            plan.manifest.parent / row["audio_filepath"],
        )
        for row in read_rows(plan.manifest)
        if row["language"].startswith("en")
        and row["duration"] <= _MAX_DURATION_S
        and not is_held_out(row["speaker"])
        and row["text"].isascii()
    ]


def _make_shard(job: tuple[list[_Task], Path, Sequence[dict[str, Any]]]) -> None:
    tasks, stem, rooms = job
    mels, lines, first = [], [], 0
    for task in tasks:
        item = _synthetic(task, rooms) if task.path is None else _recorded(task, task.path)
        if item is None:
            continue
        row = asdict(item)
        mel = row.pop("mel")
        row["frames"] = (first, first + len(mel))
        first += len(mel)
        mels.append(mel.astype(np.float16))
        lines.append(json.dumps(row, ensure_ascii=False))
    np.save(stem.with_suffix(".npy"), np.concatenate(mels) if mels else np.zeros((0, _NUM_MELS)))
    # Written last: a shard with its list is complete.
    stem.with_suffix(".jsonl").write_text("\n".join(lines), encoding="utf-8")


def _synthetic(task: _Task, rooms: Sequence[dict[str, Any]]) -> Speech | None:
    rng = np.random.default_rng(task.seed)
    spoken = speak(task.text, task.voice, rate=rng.uniform(0.8, 1.2), pitch=rng.uniform(0.2, 0.8))
    samples = spoken.samples
    if len(samples) > _MAX_DURATION_S * SAMPLE_RATE_HZ or not spoken.words:
        return None
    dry = [row for row in rooms if not is_held_out(row["label"])]
    if dry and rng.random() < _SHARE_ROOM:
        samples = reverberate(samples, _room(Path(dry[int(rng.integers(len(dry)))]["path"])))
    names = [PHONES.index(phone.name if phone.name in PHONES else "pau") for phone in spoken.phones]
    ends_s = [phone.end_s for phone in spoken.phones]
    centres_s = np.arange(len(samples) // int(_FRAME_PHONE_S * SAMPLE_RATE_HZ)) * _FRAME_PHONE_S
    at = np.minimum(np.searchsorted(ends_s, centres_s), max(0, len(names) - 1))
    return Speech(
        mel=log_mel(samples),
        text=task.text,
        speaker=task.voice,
        start_s=round(spoken.words[0].start_s, 3),
        end_s=round(spoken.words[-1].end_s, 3),
        words=tuple((round(span.start_s, 3), round(span.end_s, 3)) for span in spoken.words),
        phones=_numbers(task.text),
        frame_phones=tuple(names[index] for index in at) if names else (),
    )


def _recorded(task: _Task, path: Path) -> Speech | None:
    audio = _load(path)
    spans = find_speech(audio)
    if not spans:
        return None
    return Speech(
        mel=log_mel(audio.samples),
        text=task.text,
        speaker=task.voice,
        start_s=round(spans[0].start_s, 3),
        end_s=round(spans[-1].end_s, 3),
        words=(),
        phones=_numbers(task.text),
        frame_phones=(),
    )


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(PHONES.index(name) for name in phones_of(text) if name in PHONES)


@lru_cache(maxsize=64)
def _room(path: Path) -> FloatArray:
    return _load(path).samples


@lru_cache(maxsize=1)
def _extractor() -> Any:
    from faster_whisper.feature_extractor import FeatureExtractor

    return FeatureExtractor()


def _load(path: Path) -> Audio:
    return decode(path, name=path.name, limits=_LIMITS)
