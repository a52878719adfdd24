"""Whether DNSMOS knows anything about errors that the estimator does not, and what it costs.

    pip install speechmos
    python -m benchmarks.mos --recognised recognised.jsonl --examples examples.npz [--limit 250]

Takes what ``werkbench corpus`` wrote and the training table of depth thorough made from it. Draws
clips of training speakers, has Microsoft's networks rate the first nine seconds of each, and prints
the rank correlation of every rating with the WER and with what the cross-validated count model
leaves of it: a rating that could help an estimate would correlate with the latter, negatively.
"""

import argparse
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import numpy.typing as npt
import onnxruntime
from scipy.stats import spearmanr

from benchmarks.feature_gain import QUICK, Judged
from qe_core.audio import decode
from qe_core.config import AudioSettings
from qe_core.corpus.examples import read_recognised
from qe_core.estimation.table import TrainingTable
from qe_core.estimation.words import WORD_FEATURES
from qe_core.features import DEPTHS
from qe_core.types import SAMPLE_RATE_HZ, FloatArray

Values = npt.NDArray[np.floating[Any]]

# The networks accept this length only; shorter clips are repeated, as speechmos does.
_LENGTH = round(9.01 * SAMPLE_RATE_HZ)
_RATINGS = ("signal", "background", "overall", "P.808")
_LIMITS = AudioSettings(min_size_bytes=1, min_duration_s=0.2)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--recognised", type=Path, required=True)
    parser.add_argument("--examples", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=250)
    arguments = parser.parse_args()
    everything = TrainingTable.load(arguments.examples).own
    table = everything.select(~everything.is_held_out)
    rows = list(read_recognised(arguments.recognised))
    paths = [
        Path(row.audio_filepath)
        for row, is_held_out in zip(rows, everything.is_held_out, strict=True)
        if not is_held_out
    ]
    chosen = np.random.default_rng(3).permutation(len(paths))[: arguments.limit]
    raters = _Raters()
    ratings = np.array([raters.rate(paths[int(index)]) for index in chosen])
    for name, spent_s in raters.spent_s.items():
        print(f"{name:12}{1000 * spent_s / raters.audio_s:8.1f} ms per second of audio")
    wer = table.num_errors / np.maximum(table.num_reference_words, 1)
    print(f"\n| {len(chosen)} clips | " + " | ".join(_RATINGS) + " |\n|---|" + "---:|" * 4)
    print("| WER | " + " | ".join(_correlations(ratings, wer[chosen])) + " |")
    for depth in ("standard", "thorough"):
        names = [info.name for group in DEPTHS[depth] for info in group.features]
        left = wer - Judged(table, names, WORD_FEATURES, QUICK).counts.wer
        print(f"| left by {depth} | " + " | ".join(_correlations(ratings, left[chosen])) + " |")


class _Raters:
    """Both networks on one core, and the CPU time that they took."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        folder = files("speechmos") / "dnsmos_models"
        self._p835, self._p808 = (
            onnxruntime.InferenceSession(str(folder / name), options)
            for name in ("sig_bak_ovr.onnx", "model_v8.onnx")
        )
        _mel(np.zeros(_LENGTH, np.float32))  # librosa compiles itself at first use
        self.audio_s = 0.0
        self.spent_s = {"P.835": 0.0, "P.808": 0.0}

    def rate(self, path: Path) -> list[float]:
        """Ratings of a clip, before the polynomials that bring them to the scale of opinions."""
        audio = decode(path, name=path.name, limits=_LIMITS)
        sound = np.resize(audio.samples, max(_LENGTH, len(audio.samples)))[:_LENGTH]
        self.audio_s += audio.duration_s
        start = time.process_time()
        three = self._p835.run(None, {"input_1": sound[None]})[0][0]
        middle = time.process_time()
        one = self._p808.run(None, {"input_1": _mel(sound)[None]})[0][0]
        self.spent_s["P.835"] += middle - start
        self.spent_s["P.808"] += time.process_time() - middle
        return [*map(float, three), float(one[0])]


def _mel(sound: FloatArray) -> FloatArray:
    power = librosa.feature.melspectrogram(
        y=sound[:-160], sr=SAMPLE_RATE_HZ, n_fft=321, hop_length=160, n_mels=120
    )
    return np.asarray((librosa.power_to_db(power, ref=np.max) + 40) / 40, np.float32).T


def _correlations(ratings: Values, values: Values) -> list[str]:
    found = [spearmanr(column, values) for column in ratings.T]
    return [f"{item.statistic:+.2f} (p {item.pvalue:.2f})" for item in found]


if __name__ == "__main__":
    main()
