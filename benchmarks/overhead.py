"""What the quality estimate costs beside the transcription that it judges.

    python -m benchmarks.overhead [FILES…] [--engine E] [--depth D] [--threads N]

Assesses files (by default the sample clips) and prints the seconds of every stage; features and
estimate together should take at most 5 % of the time of the transcription. Finding speech stands
in a line of its own and is counted for neither: the shipped recognisers hear only the stretches
that it finds and would need it without any estimate, and the features look at the same stretches. A
Whisper of full size finds them once more by itself; there it is the estimate's, and the last line
counts it. At depth ``thorough`` a second recogniser hears every clip, too, in a line of its own.

Features and estimate are computed on one thread, Whisper uses all cores: ``--threads 1`` compares
what both work rather than how long one waits for them.
"""

import argparse
from collections import defaultdict
from pathlib import Path

from jobs.tools import open_estimator
from qe_core.asr.provider import resolve_engine
from qe_core.asr.second import load_second
from qe_core.audio import decode
from qe_core.config import bundled_path, load_settings
from qe_core.features import DEPTHS, Depth, deeper
from qe_core.pipeline import assess, depth_of

OURS = ("features", "estimate")


def main() -> None:
    """Measure and print; exit code 1 when the share is above the target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--engine", default="pocketsphinx")
    parser.add_argument("--depth", choices=tuple(DEPTHS), default="standard")
    parser.add_argument("--threads", type=int, default=0, help="Whisper's; 0: one per core")
    parser.add_argument("--max-share", type=float, default=0.05)
    arguments = parser.parse_args()
    depth: Depth = arguments.depth
    settings = load_settings(
        engine={"name": arguments.engine, "cpu_threads": arguments.threads},
        quality={"depth": depth},
    )
    files: list[Path] = arguments.files or [
        path
        for path in sorted(bundled_path("sample_audio").glob("*.*"))
        if path.suffix not in {".md", ".jsonl"}
    ]
    engine = resolve_engine(settings.engine).engine
    estimator = open_estimator(None, engine, settings)
    second = load_second(settings.engine) if depth == "thorough" else None
    seconds: dict[str, float] = defaultdict(float)
    audio_s = 0.0
    # The first clip loads what is loaded once; it is assessed a second time in its turn.
    for number, path in enumerate([files[0], *files]):
        audio = decode(path, name=path.name, limits=settings.audio)
        assessment = assess(
            audio,
            engine,
            estimator,
            settings=settings,
            depth=deeper(depth, depth_of(estimator)),
            second=second,
        )
        if number:
            audio_s += audio.duration_s
            for stage, spent_s in assessment.timings_s.items():
                seconds[stage] += spent_s
    print(f"{len(files)} files, {audio_s:.1f} s of audio, engine {engine.name}:{engine.model}")
    for stage, spent_s in seconds.items():
        print(f"{stage:14} {spent_s:8.3f} s  RTF {spent_s / audio_s:.4f}")
    share = sum(seconds[stage] for stage in OURS) / seconds["transcription"]
    print(f"features + estimate: {share:.1%} of the transcription")
    print(f"with speech: {share + seconds['speech'] / seconds['transcription']:.1%}")
    if share > arguments.max_share:
        raise SystemExit(f"That is more than {arguments.max_share:.0%}.")


if __name__ == "__main__":
    main()
