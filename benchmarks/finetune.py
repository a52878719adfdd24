"""What fine-tuning on the corrections of one voice brings for it, and costs all others.

    python -m benchmarks.finetune --manifest M.jsonl --speaker NAME --model FOLDER
        [--checkpoint FOLDER] [--replay R.jsonl] [--num-train 200] [--num-test 40]
        [--num-others 60] [--epochs 4] [--rate R] [--batch 16] [--max-minutes 15] [--threads 1]
        [--out FOLDER]

The manifest is JSON Lines with ``audio_filepath, duration, text, speaker``. Of the speaker, the
first clips are corrections to learn from, the next tenth of as many says when to stop, and the next
judge; clips of all other speakers judge what is forgotten. Both recognisers write through the
product's own path. With ``--replay``, clips of that manifest are mixed in; its speakers must not be
among the others.
"""

import argparse
import json
import math
import random
import tempfile
from pathlib import Path
from typing import Any

from qe_core.config import EngineSettings, FinetuneSettings
from qe_core.recogniser.dataset import DataSet, SpokenClip
from qe_core.recogniser.finetune_judge import Comparison
from qe_core.recogniser.finetune_process import fine_tune_beside
from qe_core.recogniser.finetune_task import Task


def main() -> None:
    """Fine-tune and print."""
    arguments = _arguments()
    clips = _read(arguments.manifest)
    own = [clip for clip in clips if clip.speaker == arguments.speaker]
    others = [clip for clip in clips if clip.speaker != arguments.speaker]
    random.Random(1).shuffle(others)  # noqa: S311 - a fixed draw, not a secret
    num_stop = max(4, arguments.num_train // 10)
    start = arguments.num_train + num_stop
    data = DataSet(
        train=tuple(own[: arguments.num_train]),
        validation=tuple(own[arguments.num_train : start]),
        test=tuple(own[start : start + arguments.num_test]),
        left_out={},
    )
    replayed = _read(arguments.replay) if arguments.replay else []
    num_replay = len(replayed) * 9 // 10
    replay = DataSet(
        train=tuple(replayed[:num_replay]),
        validation=tuple(replayed[num_replay:]),
        test=tuple(others[: arguments.num_others]),
        left_out={},
    )
    for name, part in (("learn", data.train), ("stop", data.validation), ("judge", data.test)):
        print(f"{len(part):4} clips of {arguments.speaker} to {name}")
    print(f"{len(replay.train):4} clips to replay, {len(replay.test)} of others to judge")
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.out or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        outcome = fine_tune_beside(
            Task(
                serving=arguments.model.absolute(),
                checkpoint=(arguments.checkpoint or arguments.model / "checkpoint").absolute(),
                work=work.absolute(),
                data=data,
                replay=replay,
                settings=FinetuneSettings(
                    max_epochs=arguments.epochs,
                    max_minutes=arguments.max_minutes,
                    num_threads=arguments.threads,
                    learning_rate=arguments.rate,
                    batch_size=arguments.batch,
                ),
                engine=EngineSettings(beam_size=5),
            )
        )
    tuning = outcome.tuning
    print("validation loss:", ", ".join(f"{loss:.3f}" for loss in tuning.losses))
    print(
        "share of new weights:",
        tuning.share,
        " ".join(f"{x}:{y:.3f}" for x, y in tuning.share_losses),
    )
    _show(f"{arguments.speaker}, held out", outcome.test)
    _show("all others", outcome.replay)
    print("seconds:", ", ".join(f"{name} {spent:.0f}" for name, spent in outcome.timings_s.items()))
    per_window = tuning.duration_s / max(1, tuning.num_windows)
    print(
        f"{tuning.num_windows} windows in {tuning.num_steps} steps, {per_window:.2f} s per window "
        f"with validation, {arguments.threads} thread(s), {tuning.device}, rate "
        f"{tuning.learning_rate:.1e}, stopped by {tuning.stopped_by}"
    )


def _show(name: str, found: Comparison | None) -> None:
    if found is None:
        print(f"{name}: the old weights were best")
        return
    gain = found.improvement
    print(
        f"{name}: WER {found.wer_before:.3f} before, {found.wer_after:.3f} after, on "
        f"{found.num_clips} clips, {found.num_words} words; falls by {gain.value:.3f} "
        f"({gain.low:.3f} to {gain.high:.3f} over {found.num_groups} {found.grouped_by})"
    )


def _read(manifest: Path) -> list[SpokenClip]:
    records: list[dict[str, Any]] = [
        json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines() if line
    ]
    return [
        SpokenClip(
            id=str(record["audio_filepath"]),
            audio=(manifest.parent / record["audio_filepath"]).absolute(),
            text=record["text"],
            speaker=str(record.get("speaker", "")),
            duration_s=float(record["duration"]),
            snr_db=math.inf,
        )
        for record in records
    ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--speaker", required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--replay", type=Path)
    parser.add_argument("--num-train", type=int, default=200)
    parser.add_argument("--num-test", type=int, default=40)
    parser.add_argument("--num-others", type=int, default=60)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--max-minutes", type=float, default=15)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
