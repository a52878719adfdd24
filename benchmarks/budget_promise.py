"""Whether the budget simulator keeps its promise: the share of errors found, against a replay.

    python -m benchmarks.budget_promise [--streams 200] [--model FOLDER] [--audits 150]

Deals the clips that the built-in estimator was not trained on into streams, by recording. For
budgets of 10-50 % of the audio, the simulator chooses the threshold and promises a share of errors
found and a residual WER, knowing only estimates and as many audits; the replay then reviews what
the threshold flags and counts true errors. Prints promise and truth; exit code 1 when they differ
by more than 3 points on average over streams.
"""

import argparse
from pathlib import Path

import numpy as np

from benchmarks.stream_coverage import Clips, held_out, stream_of
from qe_core.config import bundled_path
from qe_core.monitoring.budget import Groups, plan, threshold_for
from qe_core.monitoring.stream import StreamWer, stream_wer

SEED = 20260101
BUDGETS = (0.1, 0.2, 0.3, 0.5)
MOST = 0.03
STEPS = 100


def main() -> None:
    """Replay and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--audits", type=int, default=150)
    parser.add_argument(
        "--model", type=Path, default=bundled_path("models", "quality-pocketsphinx-en-us")
    )
    arguments = parser.parse_args()
    rng = np.random.default_rng(SEED)
    clips = held_out(arguments.model)
    print(
        f"{arguments.streams} streams of {len(clips.errors)} held-out clips, "
        f"{arguments.audits} audits each\n"
    )
    print(
        "| budget | audio | promised errors | found | promised residual WER | true |"
        " typical miss of one stream |"
    )
    print("|---|---|---|---|---|---|---|")
    gaps = []
    for budget in BUDGETS:
        rows = np.array(
            [
                _replay(stream_of(clips, rng), budget, arguments.audits, rng)
                for _ in range(arguments.streams)
            ]
        )
        audio, promised, found, promised_wer, wer = rows.mean(axis=0)
        miss = np.median(np.abs(rows[:, 1] - rows[:, 2]))
        print(
            f"| {budget:.0%} | {audio:.1%} | {promised:.1%} | {found:.1%} | {promised_wer:.1%} "
            f"| {wer:.1%} | {100 * miss:.1f} points |",
            flush=True,
        )
        gaps += [abs(promised - found), abs(promised_wer - wer)]
    if max(gaps) > MOST:
        raise SystemExit(f"The promise is missed by {max(gaps):.1%}.")


def _replay(
    stream: Clips, budget: float, num_audits: int, rng: np.random.Generator
) -> tuple[float, ...]:
    wer = stream.predicted_errors / stream.predicted_words
    edges = np.floor(wer * STEPS) / STEPS
    levels, owner = np.unique(-edges, return_inverse=True)
    groups = Groups(
        -levels,
        np.bincount(owner, weights=stream.duration_s).astype(np.float64),
        np.bincount(owner, weights=stream.predicted_errors).astype(np.float64),
        np.bincount(owner, weights=stream.predicted_words).astype(np.float64),
    )
    is_audit = np.isin(np.arange(len(wer)), rng.permutation(len(wer))[:num_audits])
    audited = stream_wer(
        predicted_errors=stream.predicted_errors,
        predicted_words=stream.predicted_words,
        errors=np.where(is_audit, stream.errors, np.nan),
        words=np.where(is_audit, stream.words, np.nan),
        is_audit=is_audit,
        recordings=stream.recordings,
    )
    threshold = threshold_for(groups, budget * stream.duration_s.sum() / 60, 1.0)
    known_wer = audited.combined.wer if isinstance(audited, StreamWer) else None
    promise = plan(groups, threshold, 1.0, wer=known_wer)
    flagged = edges >= threshold - 1e-9
    found = stream.errors[flagged].sum() / stream.errors.sum()
    residual = stream.errors[~flagged].sum() / stream.words.sum()
    return (
        promise.share_of_audio,
        promise.share_of_errors or 0.0,
        float(found),
        promise.residual_wer or 0.0,
        float(residual),
    )


if __name__ == "__main__":
    main()
