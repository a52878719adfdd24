import pytest

from tests.stored_clips import store_clip
from workbench import thresholds
from workbench.runtime import Runtime


def test_nothing_to_flag_in_an_empty_library(runtime: Runtime) -> None:
    found = thresholds.effect(runtime, 0.3)
    assert (found.num_clips, found.num_flagged, found.expected_share) == (0, 0, None)


def test_a_lower_threshold_flags_more_and_catches_more_errors(runtime: Runtime) -> None:
    store_clip(runtime, "good", expected_errors=0.4, duration_s=10.0)
    store_clip(runtime, "bad", expected_errors=2.0, duration_s=30.0)
    strict, lenient = thresholds.effect(runtime, 0.05), thresholds.effect(runtime, 0.3)
    assert (strict.num_flagged, strict.flagged_s, strict.expected_share) == (2, 40.0, 1.0)
    assert (lenient.num_flagged, lenient.flagged_s) == (1, 30.0)
    assert lenient.expected_share == pytest.approx(2.0 / 2.4)


def test_a_clip_that_must_be_reviewed_is_flagged_at_any_threshold(runtime: Runtime) -> None:
    store_clip(runtime, "empty", expected_errors=0.0, must_review=True)
    assert thresholds.effect(runtime, 2.0).num_flagged == 1
