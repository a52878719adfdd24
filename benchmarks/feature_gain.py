"""What every group of features earns, beside what it costs.

    python -m benchmarks.feature_gain --examples examples.npz [--audio CLIP] [--draws 300] [--fine]

Takes a training table of depth thorough, as ``werkbench train --depth thorough`` leaves it beside
the estimator. The count model is cross-validated on the training speakers with all features of
clips and words and once without each group; the gain is what the group adds to the others, with a
95 % interval that resamples speakers. Held-out speakers are never looked at. The cost is CPU time
on one core; a second opinion also costs the recogniser's own time, which ``benchmarks.overhead``
measures.

By default trees are grown quickly, which is good enough to compare; ``--fine`` grows them as the
shipped estimators are. Also prints the figures of each depth.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.feature_cost import clip_context, cost_ms
from qe_core.estimation.boosting import TreeSettings, group_folds
from qe_core.estimation.bootstrap import Interval, paired_bootstrap
from qe_core.estimation.counts import DIRECTIONS, CountTargets, fit_counts
from qe_core.estimation.evaluation import Scores, Truth, evaluate
from qe_core.estimation.scoring import offset_of, truth_of
from qe_core.estimation.table import TrainingTable
from qe_core.estimation.taught_words import TaughtWords
from qe_core.estimation.training import TrainingPlan
from qe_core.estimation.words import (
    DOUBTS,
    WORD_FEATURES,
    doubts,
    num_word_features,
    word_features,
)
from qe_core.features import DEPTHS, THOROUGH
from qe_core.features.acoustic import AcousticFeatures
from qe_core.features.base import FeatureContext
from qe_core.features.clipping import clipped_share
from qe_core.features.frames import analyse
from qe_core.features.pitch import measure_pitch
from qe_core.features.room import decay_s, modulation
from qe_core.features.snr import wada_snr_db
from qe_core.language_model import score_words

SEED = 20260101
FIGURES = ("spearman", "er20", "ner20", "mae")
QUICK = TreeSettings(max_depth=4, learning_rate=0.15, colsample=0.4, max_rounds=120, patience=15)

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Part:
    """Features that are left out together.

    Args:
        name: for the table
        features: of clips, their names
        words: of words, their names
        compute: what has to be computed for them and for nothing else; ``None``: next to nothing
    """

    name: str
    features: frozenset[str]
    compute: Callable[[FeatureContext], object] | None = None
    words: frozenset[str] = frozenset()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--examples", type=Path, required=True)
    parser.add_argument("--audio", type=Path, help="a 16 kHz mono clip, repeated as needed")
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--fine", action="store_true")
    arguments = parser.parse_args()
    table = TrainingTable.load(arguments.examples).own
    table = table.select(~table.is_held_out)
    settings = TrainingPlan().count_trees if arguments.fine else QUICK
    everything = Judged(table, table.feature_names, WORD_FEATURES, settings)
    print(
        f"{table.num_clips:,} clips, {len(set(table.group)):,} speakers, grouped cross-validation"
    )
    print("\n| depth | " + " | ".join(FIGURES) + " |\n|---|" + "---:|" * len(FIGURES))
    for depth, groups in DEPTHS.items():
        names = [info.name for group in groups for info in group.features]
        words = WORD_FEATURES[: num_word_features(depth)]
        judged = everything if depth == "thorough" else Judged(table, names, words, settings)
        cells = [f"{judged.figure(key)(np.arange(table.num_clips)):.4f}" for key in FIGURES]
        print(f"| {depth} | " + " | ".join(cells) + " |", flush=True)
    context = clip_context(arguments.audio, 10.0)
    print("\n| without | ms per s | " + " | ".join(f"Δ {key}" for key in FIGURES) + " |")
    print("|---|---:|" + "---:|" * len(FIGURES))
    for part in parts():
        rest = Judged(
            table,
            [name for name in table.feature_names if name not in part.features],
            [name for name in WORD_FEATURES if name not in part.words],
            settings,
        )
        gains = [
            _shown(
                paired_bootstrap(
                    everything.figure(key),
                    rest.figure(key),
                    table.group,
                    num_draws=arguments.draws,
                )
            )
            for key in FIGURES
        ]
        cost = "0" if part.compute is None else f"{_cost(part.compute, context):.2f}"
        print(f"| {part.name} | {cost} | " + " | ".join(gains) + " |", flush=True)


def parts() -> Sequence[Part]:
    """All features, cut into what is computed together."""
    sound = {info.name for info in AcousticFeatures.features}
    groups = {
        group.name: frozenset(info.name for info in group.features) - sound for group in THOROUGH
    }
    decoder = groups["decoder"]
    prefixes = {
        "confidence": ("confidence", "low_", "last_"),
        "n-best": ("nbest",),
        "scores": ("avg_", "no_speech", "compression", "temperature", "language"),
    }
    of_decoder = {
        name: frozenset(feature for feature in decoder if feature.startswith(starts))
        for name, starts in prefixes.items()
    }
    by_name: Mapping[str, Callable[[FeatureContext], object]] = {
        group.name: group.extract for group in THOROUGH
    }
    return [
        # The analysis that groups share is made for the sound.
        Part("all of the sound", frozenset(sound), lambda it: by_name["acoustic"](replace(it))),
        Part("duration, speech", _named(sound, "duration_s", "speech")),
        Part(
            "levels, spectrum",
            _named(sound, "level", "crest", "noise", "dynamic", "snr", "zero", "spectral"),
            lambda it: analyse(it.audio.samples, it.speech),
        ),
        Part(
            "bandwidth, codec, rumble",
            _named(sound, "bandwidth", "codec", "high_band", "rumble"),
        ),
        Part("WADA-SNR", _named(sound, "wada"), lambda it: wada_snr_db(it.audio.samples)),
        Part("clipping", _named(sound, "clipped"), lambda it: clipped_share(it.audio.samples)),
        Part("room", _named(sound, "modulation", "decay"), _room),
        Part(
            "pitch",
            _named(sound, "voiced", "pitch"),
            lambda it: measure_pitch(it.audio.samples, it.speech),
        ),
        *(Part(name, features) for name, features in of_decoder.items()),
        Part("text", decoder - frozenset().union(*of_decoder.values())),
        Part("all of the decoder", decoder, by_name["decoder"]),
        Part("coverage, timing", groups["coverage"], by_name["coverage"]),
        Part("syllables", groups["syllables"], by_name["syllables"]),
        Part("single words", frozenset(), _words, frozenset(WORD_FEATURES)),
        Part("language model", frozenset(), _language, _named(set(WORD_FEATURES), "lm_")),
        Part(
            "second opinion",
            groups["second"],
            by_name["second"],
            _named(set(WORD_FEATURES), "second_"),
        ),
    ]


class Judged:
    """Out-of-fold predictions from some of the features."""

    def __init__(
        self,
        table: TrainingTable,
        names: Sequence[str],
        words: Sequence[str],
        settings: TreeSettings,
    ) -> None:
        features = table.features[:, [table.feature_names.index(name) for name in names]]
        folds = group_folds(table.group, 5)
        if words:
            of_words = table.word_features[:, [WORD_FEATURES.index(name) for name in words]]
            _, said = TaughtWords(table, folds, SEED).fit(of_words, TrainingPlan().doubt_trees)
            said = doubts(said, table.word_clip, table.num_clips)
            names, features = [*names, *DOUBTS], np.concatenate([features, said], axis=1)
        targets = CountTargets(
            features=features,
            offset=offset_of(table, "transcript"),
            errors=table.num_errors.astype(np.float32),
            words=table.num_reference_words.astype(np.float32),
            weight=table.weight,
            folds=folds,
            is_relative=table.is_relative,
            directions=tuple(DIRECTIONS.get(name, 0) for name in names),
        )
        rate_share = TrainingPlan().rate_share
        _, self.counts = fit_counts(targets, settings=settings, rate_share=rate_share, seed=SEED)
        self._truth = truth_of(table)
        self._known: dict[bytes, Mapping[str, float]] = {}

    def figure(self, key: str) -> Callable[[Rows], float]:
        """One figure as a function of the rows that were drawn."""
        return lambda rows: self._figures(rows)[key]

    def _figures(self, rows: Rows) -> Mapping[str, float]:
        """All figures at once; every figure is asked for the same draws."""
        drawn = rows.tobytes()
        if drawn not in self._known:
            truth, counts = self._truth, self.counts
            metrics = evaluate(
                Truth(truth.errors[rows], truth.words[rows], truth.duration_s[rows]),
                Scores(counts.wer[rows], counts.errors[rows]),
            )
            self._known[drawn] = {key: float(getattr(metrics, key) or 0.0) for key in FIGURES}
        return self._known[drawn]


def _named(names: set[str], *starts: str) -> frozenset[str]:
    return frozenset(name for name in names if name.startswith(starts))


def _room(context: FeatureContext) -> tuple[object, object]:
    frames = analyse(context.audio.samples, context.speech)
    return modulation(frames), decay_s(frames)


def _words(context: FeatureContext) -> object:
    return None if context.transcript is None else word_features(context.transcript)


def _language(context: FeatureContext) -> object:
    return None if context.transcript is None else score_words(context.transcript.text.split())


def _cost(compute: Callable[[FeatureContext], object], context: FeatureContext) -> float:
    return cost_ms(lambda: compute(context), 9) / context.audio.duration_s


def _shown(gain: Interval) -> str:
    return f"{gain.value:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]"


if __name__ == "__main__":
    main()
