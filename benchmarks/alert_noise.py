"""How often the rules about audits ring for nothing, and how soon they ring for something.

    python -m benchmarks.alert_noise [--streams 200] [--audits 600]

Simulates streams whose estimates are right on average and whose intervals hold what they promise,
looks after every single audit with the bundled rules, and prints in how many streams each rule
would have fired at least once. Then biased streams: how many audits until the rule fires. The
``for`` of the rules, which only makes them calmer, is left out.

Then Prometheus' rule about the level of what comes in: levels of real clips, five to a recording,
put into the buckets of the histogram; how often the median of two hours differs from that of the
day before by more than the bound when nothing has changed, and when the level has.
"""

import argparse
import statistics
import sys

import numpy as np
from scipy import stats

from benchmarks.drift_streams import Values, draw, load_pool
from qe_core.config import load_settings
from qe_core.monitoring.rules import Rule
from storage.repositories.vitals import AuditedClip
from workbench.alerts import load_rules
from workbench.drift import INPUTS
from workbench.metrics import DBFS_BUCKETS
from workbench.readings import NUM_AUDITS, audit_readings

_RULES = ("estimates_too_low", "estimates_too_high", "intervals_too_narrow")
_SEED = 20260101
# As in deploy/prometheus/rules/werkbench.yml.
_LEVEL_BOUND_DB = 6.0
_LEVEL_SIZES, _LEVEL_CHANGES_DB = (50, 100, 200), (0, 6, 9, 12)
_TWO_HOURS_OF_A_DAY, _NUM_LOOKS = 12, 400
# Heavier tails than a normal distribution, as real residuals have.
_FREEDOM = 4
_SPREAD = 0.1
# Bias in points of WER, and how much too narrow the intervals are.
_TROUBLES = {
    "true WER 8 points above the prediction": (0.08, 1.0, "estimates_too_low"),
    "true WER 12 points above the prediction": (0.12, 1.0, "estimates_too_low"),
    "true WER 12 points below the prediction": (-0.12, 1.0, "estimates_too_high"),
    "intervals half as wide as they should be": (0.0, 0.5, "intervals_too_narrow"),
}


def main() -> int:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--audits", type=int, default=600)
    options = parser.parse_args()
    rules = {rule.name: rule for rule in load_rules(load_settings()) if rule.name in _RULES}
    rng = np.random.default_rng(_SEED)
    print(
        f"Nothing is wrong: {options.streams} streams, a look after each of {options.audits} audits"
    )
    rung = dict.fromkeys(_RULES, 0)
    for _ in range(options.streams):
        first = _first_alarms(_stream(options.audits, 0.0, 1.0, rng), rules)
        for name in first:
            rung[name] += 1
    for name, number in rung.items():
        print(f"  {name:24} fires in {number / options.streams:6.1%} of the streams")
    print("Something is wrong")
    for trouble, (bias, width, name) in _TROUBLES.items():
        found = [
            _first_alarms(_stream(options.audits, bias, width, rng), {name: rules[name]}).get(name)
            for _ in range(max(1, options.streams // 4))
        ]
        seen = [number for number in found if number is not None]
        after = f"after {statistics.median(seen):.0f} audits (median)" if seen else "never"
        print(f"  {trouble:42} {len(seen) / len(found):5.0%} noticed, {after}")
    _print_levels(rng)
    return 0


def _print_levels(rng: np.random.Generator) -> None:
    print("Input level: share of looks in which two hours and the day before differ too much")
    pool = load_pool()
    levels = pool.rows[:, INPUTS.index("level_dbfs")]
    for size in _LEVEL_SIZES:
        shares = []
        for change_db in _LEVEL_CHANGES_DB:
            gaps = [
                _median_level(levels[draw(pool.groups, size, rng)[0]] + change_db)
                - _median_level(levels[draw(pool.groups, _TWO_HOURS_OF_A_DAY * size, rng)[0]])
                for _ in range(_NUM_LOOKS)
            ]
            shares.append(f"{change_db:+d} dB {np.mean(np.abs(gaps) > _LEVEL_BOUND_DB):6.1%}")
        print(f"  {size:4} clips in two hours: {', '.join(shares)}")


def _median_level(levels: Values) -> float:
    """As ``histogram_quantile(0.5, …)``: linear inside the bucket that holds the median."""
    counts = np.searchsorted(np.sort(levels), DBFS_BUCKETS, side="right")
    index = int(np.searchsorted(counts, len(levels) / 2))
    below = counts[index - 1] if index else 0
    low = DBFS_BUCKETS[index - 1] if index else DBFS_BUCKETS[0]
    share = (len(levels) / 2 - below) / max(int(counts[index] - below), 1)
    return float(low + share * (DBFS_BUCKETS[index] - low))


def _stream(
    num_audits: int, bias: float, width: float, rng: np.random.Generator
) -> list[AuditedClip]:
    words = rng.integers(8, 60, num_audits)
    predicted = rng.uniform(0.3, 0.6, num_audits)
    noise = rng.standard_t(_FREEDOM, num_audits) * _SPREAD
    margin = stats.t.ppf(0.95, _FREEDOM) * _SPREAD * width
    errors = np.maximum(0, np.round((predicted + bias + noise) * words)).astype(int)
    # The rounding to whole errors is part of the truth, so the interval allows for it.
    margins = margin + 0.5 * width / words
    return [
        AuditedClip(
            str(number), int(error), int(count), float(rate * count), low, high, str(number)
        )
        for number, (error, count, rate, low, high) in enumerate(
            zip(errors, words, predicted, predicted - margins, predicted + margins, strict=True)
        )
    ]


def _first_alarms(audits: list[AuditedClip], rules: dict[str, Rule]) -> dict[str, int]:
    """After how many audits each rule's bound was crossed for the first time."""
    first: dict[str, int] = {}
    for number in range(1, len(audits) + 1):
        found = audit_readings(audits[max(0, number - NUM_AUDITS) : number])
        for name, rule in rules.items():
            value = found.get(rule.signal)
            if name not in first and value is not None and rule.is_breached(value):
                first[name] = number
        if len(first) == len(rules):
            break
    return first


if __name__ == "__main__":
    sys.exit(main())
