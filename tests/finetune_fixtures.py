"""An installation whose engine is a tiny trainable Whisper, with corrected sample clips."""

from pathlib import Path
from typing import Any

from qe_core.config import load_settings
from storage.database import Session
from storage.repositories import recognisers as stored
from tests.stored_clips import add_review, assess, estimate
from workbench import finetune
from workbench.intake import sample_manifest, submit
from workbench.runtime import Runtime

# Shares by which the sample clips fall into all three parts.
SETTINGS: dict[str, Any] = {
    "split_by": "clip",
    "validation_share": 0.25,
    "test_share": 0.3,
    "min_test_clips": 1,
    "min_snr_db": 5.0,
    "max_epochs": 2,
    "batch_size": 4,
    "learning_rate": 0.01,
    "num_threads": 1,
}


def open_runtime(data_dir: Path, serving: Path, **changes: Any) -> Runtime:
    """Open an installation that writes with a tiny Whisper."""
    return Runtime(
        load_settings(
            data_dir=data_dir,
            engine={"name": f"whisper:{serving}", "beam_size": 1, "cpu_threads": 1},
            finetune={**SETTINGS, **changes},
        )
    )


def store_corrected(
    runtime: Runtime, *, text: str | None = None, num_clips: int | None = None
) -> int:
    """Take in the sample clips, each with a wrong transcript and its correction.

    Args:
        runtime: gets the clips
        text: correction of all; by default each its own
        num_clips: at most so many
    """
    entries = list(sample_manifest())[:num_clips]
    for path, entry in entries:
        clip_id = submit(runtime, path, file_name=path.name, source="sample").clip_id

        correction = text or entry["text"]

        def work(session: Session, clip_id: str = clip_id, text: str = correction) -> None:
            assess(session, clip_id, "nothing", estimate(1.0, 5), features={"wada_snr_db": 20.0})
            add_review(session, clip_id, text)

        runtime.database.write(work)
    return len(entries)


def store_version(
    runtime: Runtime, name: str, *, base: str = "tiny", is_refused: bool = False
) -> str:
    """Store a version as a fine-tuning would, with a file in the place of its weights."""
    number = f"{name:0>26}"
    comparison = {
        "wer_before": 0.5,
        "wer_after": 0.4,
        "improvement": {"value": 0.1, "low": 0.05, "high": 0.15},
    }
    if not is_refused:
        place = runtime.settings.recognisers_dir / number / name
        place.mkdir(parents=True)
        (place / "model.bin").write_bytes(b"weights")
    report = {
        "num_clips": {"train": 90, "validation": 5, "test": 5},
        "duration_s": 300.0,
        "left_out": {"noisy": 2},
        "conditions": [
            {"name": "improvement", "passed": not is_refused, "text": "WER falls by 10 points."}
        ],
        "outcome": {"test": comparison, "timings_s": {}},
        "job_id": None,
    }
    runtime.database.write(
        lambda session: stored.add_version(
            session,
            version_id=number,
            name=name,
            base=base,
            base_version="1",
            engine_version="2",
            folder=None if is_refused else f"{number}/{name}",
            report=report,
            actor="ann",
        )
    )
    return number


if __name__ == "__main__":  # run by a test until it is killed
    import sys

    opened = open_runtime(Path(sys.argv[1]), Path(sys.argv[2]))
    print("ready", flush=True)
    while True:
        finetune.run(opened)
