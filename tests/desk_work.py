"""Work at the review desk, for tests: draw, save, reject."""

from workbench import people, preferences, review
from workbench.review import ReviewResult, ReviewTask
from workbench.runtime import Runtime


def drawn(runtime: Runtime, reviewer: str = "ann", **kwargs: object) -> ReviewTask:
    task = review.next_clip(runtime, reviewer, **kwargs)  # type: ignore[arg-type]  # by name
    assert task is not None
    return task


def save(
    runtime: Runtime, task: ReviewTask, text: str = "one two three", reviewer: str = "ann"
) -> ReviewResult:
    return review.submit(
        runtime,
        task.clip.id,
        reviewer=reviewer,
        claim_token=task.claim_token,
        verdict="correct",
        text=text,
    )


def reject(runtime: Runtime, task: ReviewTask, reason: str | None, note: str = "") -> ReviewResult:
    return review.submit(
        runtime,
        task.clip.id,
        reviewer="ann",
        claim_token=task.claim_token,
        verdict="reject",
        text="what the editor held",
        reject_reason=reason,
        reject_note=note,
    )


def accept(runtime: Runtime, task: ReviewTask, reviewer: str = "ann") -> ReviewResult:
    return review.submit(
        runtime,
        task.clip.id,
        reviewer=reviewer,
        claim_token=task.claim_token,
        verdict="accept",
        text="",
        listened_share=1.0,
    )


def team(runtime: Runtime) -> None:
    """Ada is admin, Lea lead; whoever else comes is an annotator."""
    people.sign_in(runtime, "ada", is_new_admin=True)
    people.set_role(runtime, "lea", "lead", actor="ada")


def audit_only(runtime: Runtime) -> None:
    preferences.set(runtime, "review.share_expected_errors", 0.0)
    preferences.set(runtime, "review.share_uncertain", 0.0)
