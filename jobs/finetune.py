"""Fine-tuning the recogniser from the command line, without pages and worker."""

from jobs.console import ProgressLine, print_json, print_problem, print_table, say
from qe_core.config import load_settings
from qe_core.recogniser.dataset import REASONS, DataSet
from workbench import finetune
from workbench.finetune import FinetuneOutcome, Readiness
from workbench.runtime import Runtime

__all__ = ["fine_tune_recogniser"]


def fine_tune_recogniser(*, dry_run: bool, as_json: bool) -> bool:
    """Show what there is to learn from, fine-tune, and print the comparison.

    Args:
        dry_run: only show what there is
        as_json: print one JSON object instead of tables

    Returns:
        whether the new recogniser serves now; for a dry run, whether it could begin

    Raises:
        WerkbenchError: it cannot begin or failed; what serves is untouched
    """
    runtime = Runtime(load_settings())
    try:
        ready = finetune.readiness(runtime)
        if dry_run:
            _print_readiness(ready, as_json=as_json)
            return ready.problem is None
        if ready.problem is not None:
            raise ready.problem
        if not as_json:
            _print_data(ready.data)
        progress = ProgressLine("fine-tuning")
        finished = finetune.run(runtime, progress)
        progress.clear()
        _print_outcome(finished, as_json=as_json)
        return finished.is_promoted
    finally:
        runtime.close()


def _print_readiness(ready: Readiness, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                **_counts(ready.data),
                "new_hours": round(ready.new_s / 3600, 3),
                "error": ready.problem.message if ready.problem else None,
                "suggestion": ready.problem.suggestion if ready.problem else None,
            }
        )
        return
    _print_data(ready.data)
    if ready.problem is not None:
        print_problem(ready.problem)


def _print_data(data: DataSet) -> None:
    print_table(
        ("clips", "hours", "part"),
        [
            (str(len(clips)), f"{sum(clip.duration_s for clip in clips) / 3600:.2f}", name)
            for name, clips in (
                ("training", data.train),
                ("validation", data.validation),
                ("test", data.test),
            )
        ],
    )
    for name, count in data.left_out.items():
        if count:
            say(f"left out: {count} {REASONS[name]}")


def _counts(data: DataSet) -> dict[str, object]:
    return {
        "train": len(data.train),
        "validation": len(data.validation),
        "test": len(data.test),
        "num_speakers": data.num_speakers,
        "hours": round(data.duration_s / 3600, 3),
        "left_out": dict(data.left_out),
    }


def _print_outcome(finished: FinetuneOutcome, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                **_counts(finished.data),
                "name": finished.name,
                "is_promoted": finished.is_promoted,
                "conditions": [
                    {"name": item.name, "passed": item.passed, "text": item.text}
                    for item in finished.gate.conditions
                ],
                **finished.outcome.to_dict(),
            }
        )
        return
    for condition in finished.gate.conditions:
        say(f"{'✓' if condition.passed else '✗'} {condition.text}")
    spent_s = sum(finished.outcome.timings_s.values())
    verdict = "serves now" if finished.is_promoted else "was refused; what served before serves"
    say(f"{finished.name} {verdict}. It took {spent_s:.0f} s.")
