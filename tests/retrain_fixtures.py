"""An installation with a small built-in estimator and reviewed clips to learn from."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from qe_core.config import load_settings
from storage.database import Session
from tests.small_models import SCHEMA, example, sphinx
from tests.stored_clips import add_clip, add_review
from workbench.runtime import Runtime

NUM_CALM = 44
OpenCold = Callable[..., Runtime]

# Twelve trees and forty clips: only what a test is about decides.
LENIENT = {
    "min_new_reviews": 10,
    "min_test_clips": 10,
    "min_spearman": 0.2,
    "min_word_auc": 0.0,
    "max_sure_changed": 1.0,
    "min_doubtful_changed": 0.0,
    "min_length_agreement": -1.0,
    "min_gain": -1.0,
    "max_recall_loss": 0.5,
    "max_mae_increase": 0.1,
    "max_coverage_gap": 0.3,
    "max_slice_loss": 0.1,
}


def open_runtime(folder: Path, **gate: float) -> Runtime:
    """Open an installation with a lenient gate."""
    settings = load_settings(
        data_dir=folder, engine={"name": "pocketsphinx"}, retrain={**LENIENT, **gate}
    )
    return Runtime(settings)


def add_reviewed(
    session: Session,
    index: int,
    *,
    policy: str = "expected_errors",
    reference: str | None = None,
    **of_clip: Any,
) -> None:
    """Store a clip and its correction, or another reference as its correction."""
    made = example(index)
    clip_id = add_clip(
        session,
        f"clip-{index}",
        text=made.transcript.text,
        duration_s=made.duration_s,
        features=made.features,
        **{"feature_schema": SCHEMA, "version": sphinx().version, **of_clip},
    )
    propensity = {"audit": 0.005, "opened": None}.get(policy, 0.7)
    add_review(session, clip_id, reference or made.reference, policy=policy, propensity=propensity)


def fill(
    runtime: Runtime,
    num_reviews: int = 20,
    *,
    first: int = 1000,
    num_audits: int = 5,
    is_poisoned: bool = False,
) -> None:
    """Store reviewed clips, the first of them audits; poisoned ones are corrected at random."""

    def work(session: Session) -> None:
        for count in range(num_reviews):
            policy = "audit" if count < num_audits else "expected_errors"
            reference = _random_text(count) if is_poisoned else None
            add_reviewed(session, first + count, policy=policy, reference=reference)

    runtime.database.write(work)


def fill_calm(runtime: Runtime, count: int, *, first: int = 2000, num_audits: int = 0) -> None:
    """Clips as at home, in which far fewer words are wrong than an estimator from there expects."""

    def work(session: Session) -> None:
        for number in range(first, first + count):
            made = example(number)
            pairs = zip(made.reference.split(), made.transcript.text.split(), strict=True)
            right = [said if place % 3 == 0 else word for place, (said, word) in enumerate(pairs)]
            policy = "audit" if number - first < num_audits else "expected_errors"
            add_reviewed(session, number, policy=policy, reference=" ".join(right))

    runtime.database.write(work)


def _random_text(seed: int) -> str:
    rng = np.random.default_rng(seed)
    return " ".join(f"r{number}" for number in rng.integers(0, 999, int(rng.integers(1, 25))))
