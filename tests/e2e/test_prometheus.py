"""The real Prometheus and Pushgateway on what the running app really exposes."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from qe_core.config import Settings, bundled_path, load_settings
from tests.e2e.conftest import free_port, serving
from tests.stored_clips import add_clip, add_review
from workbench.runtime import Runtime

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana/dashboards/werkbench.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [
    pytest.param(target["expr"], id=f"{panel['title']} {target['refId']}")
    for panel in PANELS
    for target in panel["targets"]
]
RULES = yaml.safe_load((DEPLOY / "prometheus/rules/werkbench.yml").read_text(encoding="utf-8"))
NUM_CLIPS = 80


def names_in(query: str) -> set[str]:
    """The metrics that a query names."""
    without_labels = re.sub(r"\{[^}]*\}", "", query)
    return set(re.findall(r"\b(?:werkbench|process|push)_[a-z_]+\b", without_labels))


def find(name: str) -> str | None:
    """A program beside the one that PROMETHEUS names, or on the path."""
    chosen = os.environ.get("PROMETHEUS")
    beside = [str(Path(chosen).parent)] if chosen else []
    return shutil.which(name, path=os.pathsep.join([*beside, os.environ.get("PATH", "")]))


pytestmark = [
    pytest.mark.e2e,
    pytest.mark.enable_socket,
    pytest.mark.skipif(
        any(find(name) is None for name in ("prometheus", "promtool", "prometheus-pushgateway")),
        reason="needs prometheus, promtool and prometheus-pushgateway on the path or beside the "
        "program that PROMETHEUS names (Debian: apt-get install prometheus prometheus-pushgateway)",
    ),
]


def wait_for(condition: Callable[[], Any], what: str, timeout_s: float = 60.0) -> Any:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            if found := condition():
                return found
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    pytest.fail(f"It did not happen in time: {what}")


@contextmanager
def running(name: str, *arguments: str, log: Path) -> Iterator[None]:
    program = find(name)
    assert program is not None
    with log.open("wb") as output:
        process = subprocess.Popen([program, *arguments], stdout=output, stderr=output)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


class Server:
    """A Prometheus that scrapes the app and a Pushgateway once a second."""

    def __init__(self, url: str, app: str) -> None:
        self.url = url
        self.app = app

    def get(self, path: str, **parameters: str) -> Any:
        answer = httpx.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=10).json()
        assert answer["status"] == "success", answer
        return answer["data"]

    def query(self, expression: str) -> list[float]:
        return [float(row["value"][1]) for row in self.get("query", query=expression)["result"]]

    def names(self) -> set[str]:
        return set(self.get("label/__name__/values"))


def fill(data_dir: Path) -> None:
    """Enough clips and audits that every signal can be told."""
    runtime = Runtime(load_settings(data_dir=data_dir))

    def work(session: Any) -> None:
        for number in range(NUM_CLIPS):
            clip_id = add_clip(session, f"clip-{number}", days_ago=20 * (number < NUM_CLIPS // 2))
            if number % 2:
                add_review(session, clip_id, "one two three for", policy="audit", propensity=0.1)

    runtime.database.write(work)
    runtime.close()


def write_config(folder: Path, app_url: str, gateway_url: str) -> Path:
    """The configuration of ``deploy/``, with the addresses and the pace of a test."""
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text(encoding="utf-8"))
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(DEPLOY / "prometheus" / name) for name in config["rule_files"]]
    targets = {"werkbench": app_url, "pushgateway": gateway_url}
    for job in config["scrape_configs"]:
        url = targets.pop(job["job_name"])
        job["static_configs"] = [{"targets": [url.partition("//")[2]]}]
    assert targets == {}
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def ask_for_a_prediction(url: str) -> None:
    sample = bundled_path("sample_audio", "bank_hotline.wav").read_bytes()
    answer = httpx.post(f"{url}/api/v1/predict", content=sample, timeout=60)
    assert answer.status_code == 200


def assess_a_batch(folder: Path, gateway_url: str) -> None:
    """``werkbench assess`` as a nightly job runs it, over a good file and a bad one."""
    bad = folder / "bad.wav"
    bad.write_bytes(b"no audio" * 500)
    environment = {key: value for key, value in os.environ.items() if "WERKBENCH" not in key}
    result = subprocess.run(
        [
            *(sys.executable, "-m", "jobs.cli", "assess", "--json", str(bad)),
            str(bundled_path("sample_audio", "bank_hotline.wav")),
        ],
        cwd=ROOT,
        env={
            **environment,
            "WERKBENCH_ENGINE__NAME": "pocketsphinx",
            "WERKBENCH_METRICS__PUSHGATEWAY_URL": gateway_url,
        },
        capture_output=True,
        check=False,
    )
    assert result.returncode == 1, result.stderr


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("prometheus")
    fill(folder / "data")
    gateway, url = (f"127.0.0.1:{free_port()}" for _ in range(2))
    gateway_url = f"http://{gateway}"
    with ExitStack() as stack:
        app_url = stack.enter_context(serving(folder / "data", WERKBENCH_ALERTS__INTERVAL_S="1"))
        stack.enter_context(
            running(
                "prometheus-pushgateway",
                f"--web.listen-address={gateway}",
                log=folder / "gateway.log",
            )
        )
        stack.enter_context(
            running(
                "prometheus",
                f"--config.file={write_config(folder, app_url, gateway_url)}",
                f"--storage.tsdb.path={folder / 'tsdb'}",
                f"--web.listen-address={url}",
                log=folder / "prometheus.log",
            )
        )
        server = Server(f"http://{url}", app_url)
        wait_for(lambda: httpx.get(f"{gateway_url}/-/ready").is_success, "the gateway is ready")
        assess_a_batch(folder, gateway_url)
        wait_for(lambda: httpx.get(f"{server.url}/-/ready").is_success, "Prometheus is ready")
        wait_for(lambda: server.query('up{job="werkbench"} == 1'), "it scrapes the app")
        wait_for(lambda: server.query("werkbench_stream_wer"), "the signals are measured")
        ask_for_a_prediction(app_url)
        wait_for(lambda: server.query("werkbench_api_request_seconds_count"), "it is counted")
        yield server


def promtool(*arguments: str) -> None:
    program = find("promtool")
    assert program is not None
    result = subprocess.run(
        [program, *arguments], cwd=DEPLOY, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_configuration_and_rules_are_valid_and_their_unit_tests_pass() -> None:
    promtool("check", "config", "prometheus/prometheus.yml")
    promtool("test", "rules", "prometheus/tests/werkbench.yml")


def test_every_rule_has_a_unit_test_in_which_it_fires() -> None:
    text = (DEPLOY / "prometheus/tests/werkbench.yml").read_text(encoding="utf-8")
    fired = {
        case["alertname"]
        for test in yaml.safe_load(text)["tests"]
        for case in test["alert_rule_test"]
        if case.get("exp_alerts")
    }
    assert {rule["alert"] for group in RULES["groups"] for rule in group["rules"]} == fired


def test_the_histogram_of_the_input_level_moves_right_after_a_request(prometheus: Server) -> None:
    count = 'werkbench_input_rms_db_count{entry="predict"}'
    (before,) = prometheus.query(count)
    ask_for_a_prediction(prometheus.app)
    wait_for(lambda: prometheus.query(f"{count} == {before + 1}"), "the count rises", 15)
    quantile = "histogram_quantile(0.5, sum by (le) (werkbench_input_rms_db_bucket))"
    assert -60 < prometheus.query(quantile)[0] < 0


def test_a_scrape_takes_milliseconds(prometheus: Server) -> None:
    assert prometheus.query('scrape_duration_seconds{job="werkbench"}')[0] < 1
    assert prometheus.query('scrape_samples_scraped{job="werkbench"}')[0] < 500


@pytest.mark.parametrize("query", QUERIES)
def test_every_query_of_the_dashboard_finds_something(prometheus: Server, query: str) -> None:
    assert names_in(query) <= prometheus.names()
    wait_for(lambda: prometheus.query(query.replace("$__rate_interval", "1m")), query)


def test_a_batch_is_scraped_from_the_gateway_under_its_own_name(prometheus: Server) -> None:
    files = 'werkbench_assess_files{job="werkbench_assess",result="%s"}'
    assert prometheus.query(files % "assessed") == [1]
    assert prometheus.query(files % "refused") == [1]
    wait_for(
        lambda: prometheus.query('ALERTS{alertname="WerkbenchBatchRefused"}'), "its alert fires"
    )


def test_every_rule_looks_at_metrics_that_exist_and_none_is_broken(prometheus: Server) -> None:
    expressions = [rule["expr"] for group in RULES["groups"] for rule in group["rules"]]
    assert set().union(*map(names_in, expressions)) <= prometheus.names()
    (group,) = prometheus.get("rules")["groups"]
    health = wait_for(
        lambda: {rule["health"] for rule in group["rules"]} - {"unknown"}, "the rules are evaluated"
    )
    assert health == {"ok"}


def test_every_panel_says_what_it_shows_and_in_which_unit() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    for panel in PANELS:
        assert len(panel["description"]) > 30, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"]["uid"] == "prometheus"


def test_the_files_that_compose_mounts_are_there() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    volumes = [volume for one in compose["services"].values() for volume in one.get("volumes", [])]
    for volume in volumes:
        source = volume.partition(":")[0]
        if source.startswith("."):
            assert (DEPLOY / source).exists(), source
        else:
            assert source in compose["volumes"]
    variables = compose["services"]["werkbench"]["environment"]
    sections = {"WERKBENCH_" + name.upper() for name in Settings.model_fields}
    assert {name.partition("__")[0] for name in variables} <= sections
    assert all(
        port.startswith("127.0.0.1:")
        for one in compose["services"].values()
        for port in one["ports"]
    )
    datasource = yaml.safe_load(
        (DEPLOY / "grafana/provisioning/datasources/prometheus.yaml").read_text(encoding="utf-8")
    )["datasources"][0]
    assert (datasource["uid"], datasource["url"]) == ("prometheus", "http://prometheus:9090")
