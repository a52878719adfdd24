"""Whether a fine-tuned recogniser may serve: both write the same held-out clips."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qe_core.asr.base import Engine, Progress, get_factory
from qe_core.asr.provider import Resolved  # noqa: F401  importing the provider registers all engines
from qe_core.audio import decode
from qe_core.config import AudioSettings, EngineSettings, FinetuneSettings
from qe_core.estimation.bootstrap import Interval, Rows, paired_bootstrap
from qe_core.estimation.promotion import Condition, GateResult
from qe_core.recogniser.dataset import SpokenClip
from qe_core.vad import find_speech
from qe_core.wer import count_errors

__all__ = ["Comparison", "compare", "decide", "open_recogniser", "transcribe"]

# Fewer resampled groups make a percentile interval too narrow to rely on.
_MIN_GROUPS = 8


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two recognisers on the same clips.

    Args:
        num_clips: clips that both wrote
        num_words: words of their references
        num_speakers: known speakers among them
        grouped_by: what was resampled: ``speakers``, or ``clips`` where speakers are too few
        num_groups: how many of these there are
        wer_before: pooled WER of the serving recogniser
        wer_after: pooled WER of the fine-tuned one
        improvement: by how much the pooled WER falls, with its 95 % interval
    """

    num_clips: int
    num_words: int
    num_speakers: int
    grouped_by: str
    num_groups: int
    wer_before: float
    wer_after: float
    improvement: Interval


def open_recogniser(folder: Path, settings: EngineSettings) -> Engine:
    """The product's own Whisper engine on a model folder.

    Raises:
        EngineError: the folder does not hold a usable model
    """
    return get_factory("whisper")(settings, str(folder), None)


def transcribe(
    engine: Engine,
    clips: Sequence[SpokenClip],
    *,
    language: str | None = None,
    on_progress: Progress | None = None,
) -> list[str]:
    """What a recogniser writes for each clip, by the product's own path.

    Raises:
        AudioError: a file is damaged
        EngineError: the recogniser failed
    """
    texts = []
    for number, clip in enumerate(clips):
        if on_progress is not None:
            on_progress(number / len(clips), "transcribing")
        audio = decode(clip.audio, name=clip.id, limits=AudioSettings())
        texts.append(engine.transcribe(audio, find_speech(audio), language=language).text)
    return texts


def compare(
    clips: Sequence[SpokenClip], before: Sequence[str], after: Sequence[str], *, seed: int = 0
) -> Comparison:
    """Compare what two recognisers wrote for the same clips.

    Args:
        clips: with references that have words; at least one
        before: what the serving recogniser wrote for each
        after: what the fine-tuned one wrote
        seed: of the bootstrap

    Returns:
        the pooled WERs and the interval of their difference, from resampling speakers, or clips
        where there are fewer than eight speakers
    """
    errors = np.array(
        [
            [
                count_errors(clip.text, text).num_errors
                for clip, text in zip(clips, texts, strict=True)
            ]
            for texts in (before, after)
        ]
    )
    words = np.array([count_errors(clip.text, "").num_reference_words for clip in clips])

    def wer(which: int, rows: Rows) -> float:
        return float(errors[which][rows].sum() / words[rows].sum())

    num_speakers = len({clip.speaker for clip in clips} - {None})
    is_by_speaker = len({clip.group for clip in clips}) >= _MIN_GROUPS and num_speakers > 0
    groups = np.array([clip.group if is_by_speaker else clip.id for clip in clips])
    improvement = paired_bootstrap(
        lambda rows: wer(0, rows), lambda rows: wer(1, rows), groups, seed=seed
    )
    everything = np.arange(len(clips))
    return Comparison(
        num_clips=len(clips),
        num_words=int(words.sum()),
        num_speakers=num_speakers,
        grouped_by="speakers" if is_by_speaker else "clips",
        num_groups=len(np.unique(groups)),
        wer_before=wer(0, everything),
        wer_after=wer(1, everything),
        improvement=improvement,
    )


def decide(
    test: Comparison | None, replay: Comparison | None, settings: FinetuneSettings
) -> GateResult:
    """Decide whether a fine-tuned recogniser may replace the serving one.

    Args:
        test: on held-out corrected clips; ``None`` when nothing beat the old weights on validation
        replay: on held-out clips of the speech that must not be forgotten, if any is configured
        settings: the thresholds

    Returns:
        every condition with its figures
    """
    if test is None:
        return GateResult(
            (
                Condition(
                    "validation",
                    False,
                    "No mixture of old and new weights writes the validation clips better than "
                    "the serving recogniser.",
                ),
            )
        )
    conditions = [_enough(test, settings), _improves(test)]
    if replay is not None:
        conditions.append(_remembers(replay, settings))
    return GateResult(tuple(conditions))


def _enough(test: Comparison, settings: FinetuneSettings) -> Condition:
    passed = test.num_clips >= settings.min_test_clips
    verb = "are enough" if passed else "are too few"
    return Condition(
        "enough_clips",
        passed,
        f"{test.num_clips} held-out clips {verb} to judge by; at least "
        f"{settings.min_test_clips} are needed.",
    )


def _improves(test: Comparison) -> Condition:
    gain = test.improvement
    passed = gain.low > 0
    verb = "falls" if test.wer_after < test.wer_before else "does not fall"
    end = "" if passed else ", so that the difference may be chance"
    holds = "excludes" if passed else "does not exclude"
    return Condition(
        "improvement",
        passed,
        f"WER on {test.num_clips} held-out clips {verb}: {_percent(test.wer_before)} before, "
        f"{_percent(test.wer_after)} after. The 95 % interval of the improvement, over "
        f"{test.num_groups} {test.grouped_by}, is {_points(gain.low)} to {_points(gain.high)} "
        f"points; it {holds} no improvement{end}.",
    )


def _remembers(replay: Comparison, settings: FinetuneSettings) -> Condition:
    passed = replay.wer_after <= replay.wer_before + settings.max_replay_increase
    return Condition(
        "replay",
        passed,
        f"WER on {replay.num_clips} held-out clips of other speech is "
        f"{_percent(replay.wer_after)} after {_percent(replay.wer_before)}; up to "
        f"{_points(settings.max_replay_increase)} points more are allowed.",
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _points(share: float) -> str:
    return f"{100 * share:.1f}"
