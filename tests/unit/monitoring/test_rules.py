"""When a measured value becomes an alert, and when it is over."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qe_core.errors import ConfigError
from qe_core.monitoring.rules import MAX_RULES, Episode, Rule, advance, parse_rules

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LIMITS = {"max_gap": 10 * MINUTE, "forget_after": timedelta(days=1)}
TEXTS = {"summary": "It is high.", "advice": "Look."}


def rule(**changes: object) -> Rule:
    values = {"name": "high", "signal": "wer", "above": 0.3, "for": "3m", **TEXTS, **changes}
    return Rule.model_validate({key: value for key, value in values.items() if value is not None})


def play(values: list[float | None], of: Rule) -> list[Episode | None]:
    """One value a minute."""
    episodes: list[Episode | None] = []
    episode = None
    for minute, value in enumerate(values):
        before = None if episode is None or episode.state == "resolved" else episode
        episode = advance(of, before, value, START + minute * MINUTE, **LIMITS)
        episodes.append(episode)
    return episodes


def states(values: list[float | None], of: Rule) -> list[str]:
    return ["–" if one is None else one.state for one in play(values, of)]


def test_an_alert_fires_when_its_condition_has_lasted() -> None:
    assert states([0.1, 0.4, 0.4, 0.4, 0.4], rule()) == [
        "–",
        "pending",
        "pending",
        "pending",
        "firing",
    ]


def test_a_short_spike_is_no_alert() -> None:
    assert states([0.4, 0.4, 0.1, 0.4, 0.4, 0.4], rule()) == [
        "pending",
        "pending",
        "–",
        "pending",
        "pending",
        "pending",
    ]


def test_a_rule_without_for_fires_at_once() -> None:
    assert states([0.4], rule(**{"for": "0s"})) == ["firing"]


def test_a_value_between_the_bounds_ends_nothing() -> None:
    held = rule(**{"for": "0s", "clears_at": 0.2})
    assert states([0.4, 0.25, 0.4, 0.25, 0.2, 0.25], held) == [
        "firing",
        "firing",
        "firing",
        "firing",
        "resolved",
        "–",
    ]


def test_an_alert_ends_when_the_value_has_stayed_good() -> None:
    held = rule(**{"for": "0s", "clears_after": "2m"})
    found = play([0.4, 0.1, 0.4, 0.1, 0.1, 0.1], held)
    assert [one.state for one in found if one] == ["firing"] * 5 + ["resolved"]
    assert found[-1] is not None
    assert found[-1].clear_since == START + 3 * MINUTE
    assert found[-1].resolved_at == START + 5 * MINUTE


def test_the_worst_value_is_remembered() -> None:
    above = play([0.4, 0.9, 0.5], rule())[-1]
    below = play([0.4, 0.1, 0.3], rule(above=None, below=0.5))[-1]
    assert above is not None
    assert below is not None
    assert (above.worst, above.value) == (0.9, 0.5)
    assert (below.worst, below.value) == (0.1, 0.3)


def test_a_pending_condition_that_nobody_looked_at_begins_anew() -> None:
    pending = advance(rule(), None, 0.4, START, **LIMITS)
    later = START + timedelta(hours=8)
    again = advance(rule(), pending, 0.4, later, **LIMITS)
    assert again is not None
    assert (again.state, again.started_at) == ("pending", later)


@pytest.mark.parametrize("unknown", [None, float("nan")])
def test_what_cannot_be_told_begins_nothing_and_ends_nothing(unknown: float | None) -> None:
    assert states([unknown], rule()) == ["–"]
    assert states([0.4, unknown], rule()) == ["pending", "–"]
    assert states([0.4, unknown, unknown], rule(**{"for": "0s"})) == ["firing"] * 3


def test_an_alert_that_nobody_can_tell_anything_about_is_forgotten() -> None:
    firing = advance(rule(**{"for": "0s"}), None, 0.4, START, **LIMITS)
    later = advance(rule(), firing, None, START + timedelta(days=1), **LIMITS)
    assert later is not None
    assert later.state == "resolved"


@given(
    st.lists(st.none() | st.floats(0, 1), max_size=40),
    st.integers(0, 5),
    st.integers(0, 5),
    st.floats(0, 0.3),
)
def test_no_alert_fires_early_or_ends_between_its_bounds(
    values: list[float | None], for_minutes: int, clear_minutes: int, clears_at: float
) -> None:
    held = rule(
        **{"for": f"{for_minutes}m", "clears_after": f"{clear_minutes}m", "clears_at": clears_at}
    )
    before = None
    for episode in play(values, held):
        was_firing = before is not None and before.state == "firing"
        if episode is not None and episode.fired_at is not None:
            assert episode.fired_at - episode.started_at >= held.for_
        if episode is not None and episode.resolved_at is not None:
            assert was_firing
            assert episode.value <= clears_at
            assert episode.clear_since is not None
            assert episode.resolved_at - episode.clear_since >= held.clears_after
        if was_firing:
            assert episode is not None
            assert episode.state in ("firing", "resolved")
        before = episode


def parse(text: str) -> tuple[Rule, ...]:
    return parse_rules(text, file_name="alerts.yaml", signals={"wer", "queue"})


GOOD = "{name: high, signal: wer, above: 0.3, for: 1h, summary: High., advice: Look.}"


def test_rules_are_read() -> None:
    (found,) = parse(f"rules: [{GOOD}]")
    assert (found.bound, found.for_, found.severity) == (0.3, timedelta(hours=1), "notice")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rules: [", "not valid YAML"),
        ("[]", "one list named 'rules'"),
        ("rules: {}", "one list named 'rules'"),
        (f"rules: [{GOOD}]\nextra: 1", "nothing beside it"),
        ("rules: [3]", "rule 1: 3 is no rule"),
        (f"rules: [{GOOD}, {GOOD}]", "rule 2: the name 'high' is used twice"),
        (f"rules: [{', '.join([GOOD] * (MAX_RULES + 1))}]", "at most 50 are allowed"),
        (f"rules: [{GOOD.replace('wer', 'mood')}]", "there is no signal 'mood'"),
        (f"rules: [{GOOD.replace('above', 'over')}]", "rule 'high': there is no key 'over'"),
        (f"rules: [{GOOD.replace(', advice: Look.', '')}]", "rule 'high': advice is missing"),
        (f"rules: [{GOOD.replace('1h', '60')}]", "a number and a unit are needed"),
        (f"rules: [{GOOD.replace('0.3', '.nan')}]", "above = nan"),
        (f"rules: [{GOOD.replace('above', 'below: 0.1, above')}]", "either above or below"),
        (f"rules: [{GOOD.replace('above: 0.3, ', '')}]", "either above or below"),
        (f"rules: [{GOOD.replace('for', 'clears_at: 0.4, for')}]", "clears_at must not itself"),
        (f"rules: [{GOOD.replace('high', 'Too High')}]", "name = 'Too High'"),
    ],
)
def test_a_wrong_rule_is_named_with_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=r"alerts\.yaml") as caught:
        parse(text)
    assert message in caught.value.message
    assert caught.value.suggestion
