"""Made-up clips whose errors follow from two features, for training in a fraction of a second."""

import numpy as np

from qe_core.corpus.examples import TrainingExample
from qe_core.estimation.boosting import TreeSettings
from qe_core.estimation.training import TrainingPlan, extractors_for
from qe_core.types import Segment, Transcript, Word

QUICK = TreeSettings(max_depth=3, learning_rate=0.2, max_rounds=25, patience=5)
PLAN = TrainingPlan(
    model="en-us",
    num_folds=3,
    count_trees=QUICK,
    spread_trees=QUICK,
    doubt_trees=QUICK,
    word_trees=QUICK,
)
_VOCABULARY = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot")


def made_up_examples(
    rng: np.random.Generator, count: int = 150, *, num_speakers: int = 15
) -> list[TrainingExample]:
    """Clips with all standard features; confident words are right, the others often wrong."""
    return [_example(rng, f"speaker-{index % num_speakers}") for index in range(count)]


def made_up_features(confidence: float = 0.5, speech_s: float = 4.0) -> dict[str, float]:
    """All standard features; undefined where a test does not care."""
    names = [info.name for group in extractors_for("transcript") for info in group.features]
    return {
        **dict.fromkeys(names, float("nan")),
        "confidence_mean": confidence,
        "speech_s": speech_s,
        "duration_s": speech_s + 1.0,
    }


def made_up_transcript(confidences: list[float]) -> Transcript:
    """Half a second per word, in two segments when there is more than one word."""
    words = tuple(
        Word(_VOCABULARY[index % len(_VOCABULARY)], 0.5 * index, 0.5 * index + 0.4, confidence)
        for index, confidence in enumerate(confidences)
    )
    half = len(words) // 2
    parts = [part for part in (words[:half], words[half:]) if part]
    segments = tuple(
        Segment(part[0].start_s, part[-1].end_s, " ".join(word.word for word in part), part, -1.0)
        for part in parts
    )
    return Transcript(segments, "en", "pocketsphinx", "en-us", "test-1")


def _example(rng: np.random.Generator, speaker: str) -> TrainingExample:
    quality = float(rng.uniform(0.1, 0.95))
    confidences = np.clip(rng.normal(quality, 0.1, int(rng.integers(4, 13))), 0.01, 1.0).tolist()
    transcript = made_up_transcript(confidences)
    is_right = rng.uniform(size=len(confidences)) < confidences
    reference = [
        word.word if right else "zulu"
        for word, right in zip(transcript.words, is_right, strict=True)
    ]
    return TrainingExample(
        features=made_up_features(float(np.mean(confidences)), 0.5 * len(confidences)),
        reference=" ".join(reference),
        transcript=transcript,
        duration_s=0.5 * len(confidences) + 1.0,
        group=speaker,
        source="indoors" if int(speaker.rpartition("-")[2]) % 2 else "outdoors",
        condition="noise:rain:5dB" if quality < 0.5 else "clean",
    )
