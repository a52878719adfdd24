"""The page about monitoring names every signal, metric and file."""

import re
from pathlib import Path

from api.metrics import render_metrics
from qe_core.config import load_settings
from workbench.alerts import load_rules
from workbench.metrics import REGISTRY
from workbench.readings import SIGNALS

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")


def test_every_signal_is_explained() -> None:
    section = PAGE.partition("## Signals")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| `([a-z_]+)` \*? ?\|", section, flags=re.MULTILINE)
    assert listed == list(SIGNALS)


def test_every_metric_is_explained() -> None:
    render_metrics()
    shown = {family.name for family in REGISTRY.collect()} - {
        f"werkbench_{signal}" for signal in SIGNALS
    }
    missing = {name for name in shown if not name.startswith("process_") and f"`{name}" not in PAGE}
    assert missing == set()


def test_every_file_that_is_named_is_there() -> None:
    for name in re.findall(r"`(deploy/[\w./]+)`", PAGE):
        assert (ROOT / name).exists(), name


def test_every_bundled_rule_tells_people_what_to_do() -> None:
    for rule in load_rules(load_settings()):
        assert rule.summary.endswith(".")
        assert rule.advice.endswith(".")
