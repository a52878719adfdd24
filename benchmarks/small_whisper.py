"""What a Whisper model does on speech that it never met.

    python -m benchmarks.small_whisper [MODEL] [--manifest M.jsonl] [--noises N.jsonl]

Says held-out sentences with known and unknown synthetic voices (flite and espeak-ng must be
installed), clean and in noise, and a recording of two minutes, through the product's own path on
one thread; with a manifest also people that were not in the training; then silence and noise, where
every word is one too many.
"""

import argparse
from pathlib import Path

from jobs.train_recogniser import print_report
from qe_core.asr.whisper import DEMO_MODEL
from qe_core.config import bundled_path
from qe_core.recogniser.measure import KNOWN_VOICES, UNKNOWN_VOICES, measure


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, nargs="?", default=bundled_path(DEMO_MODEL))
    parser.add_argument("--manifest", type=Path)
    parser.add_argument("--noises", type=Path)
    parser.add_argument("--sentences", type=int, default=15)
    arguments = parser.parse_args()
    report = measure(
        arguments.model,
        manifest=arguments.manifest,
        noise_manifest=arguments.noises,
        num_sentences=arguments.sentences,
    )
    print_report(report)
    known, unknown = report.wer("voice", KNOWN_VOICES), report.wer("voice", UNKNOWN_VOICES)
    print(f"Clean, known voices: WER {known:.3f}; unknown voices: WER {unknown:.3f}")


if __name__ == "__main__":
    main()
