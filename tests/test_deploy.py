"""What can be told about ``deploy/`` without Grafana and without a container engine."""

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana/dashboards/werkbench.json").read_text(encoding="utf-8"))
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
GRID_COLUMNS = 24


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )


def test_the_panels_lie_side_by_side_on_the_grid() -> None:
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    assert all(place["x"] + place["w"] <= GRID_COLUMNS for place in places)
    assert not [pair for pair in combinations(places, 2) if overlap(*pair)]


def test_every_panel_asks_the_provisioned_source_under_names_of_its_own() -> None:
    file = DEPLOY / "grafana/provisioning/datasources/prometheus.yaml"
    (source,) = yaml.safe_load(file.read_text(encoding="utf-8"))["datasources"]
    for panel in DASHBOARD["panels"]:
        targets: list[dict[str, Any]] = panel.get("targets", [])
        assert bool(targets) is (panel["type"] != "row"), panel["title"]
        names = [target["refId"] for target in targets]
        assert len(names) == len(set(names)), panel["title"]
        if targets:
            assert panel["datasource"] == {"type": source["type"], "uid": source["uid"]}


def test_grafana_finds_the_dashboard_where_compose_mounts_it() -> None:
    file = DEPLOY / "grafana/provisioning/dashboards/werkbench.yaml"
    (provider,) = yaml.safe_load(file.read_text(encoding="utf-8"))["providers"]
    grafana = COMPOSE["services"]["grafana"]
    mounted = {volume.split(":")[0]: volume.split(":")[1] for volume in grafana["volumes"]}
    folder = provider["options"]["path"]
    assert mounted["./grafana/dashboards"] == folder
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{folder}/werkbench.json"


def test_every_image_is_pinned_or_built_here() -> None:
    for name, service in COMPOSE["services"].items():
        assert "build" in service or ":" in service["image"], name
