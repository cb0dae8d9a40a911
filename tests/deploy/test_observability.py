"""Alerts fire when they should and only then, and nothing watches a figure that nobody makes."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from conftest_tools import module, tool

from shared import metrics

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = DEPLOY / "prometheus" / "alerts.yml"
DASHBOARD = DEPLOY / "grafana" / "dashboards" / "bitbylaw.json"
PARTS = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}
WATCHED = re.compile(r"bitbylaw_\w+")


def series() -> dict[str, set[str]]:
    """Name every series of ours with its labels."""
    made: dict[str, set[str]] = {}
    for name, collector in vars(metrics).items():
        if name.isupper() and hasattr(collector, "_labelnames"):
            for part in PARTS[collector._type]:
                made[collector._name + part] = {*collector._labelnames} | ({"le"} if part == "_bucket" else set())
    return made


def rules() -> list[dict]:
    return [rule for group in module("yaml").safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def expressions() -> list[str]:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


def test_the_rules_are_valid_and_each_fires_in_its_trouble_and_stays_quiet_below():
    promtool = tool("promtool")
    subprocess.run([promtool, "check", "rules", str(RULES)], check=True, capture_output=True)
    tested = subprocess.run(
        [promtool, "test", "rules", str(RULES.with_name("alerts_test.yml"))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_every_rule_has_both_of_its_tests():
    tests = module("yaml").safe_load(RULES.with_name("alerts_test.yml").read_text())["tests"]
    fired = {each["alert_rule_test"][0]["alertname"] for each in tests if each["alert_rule_test"][0]["exp_alerts"]}
    quiet = {each["alert_rule_test"][0]["alertname"] for each in tests if not each["alert_rule_test"][0]["exp_alerts"]}
    assert fired == quiet == {rule["alert"] for rule in rules()}


def test_the_configuration_of_prometheus_is_valid():
    config = str(RULES.with_name("prometheus.yml"))
    checked = subprocess.run(
        [tool("promtool"), "check", "config", "--syntax-only", config], capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("where", ["dashboard", "alerts"])
def test_every_watched_series_is_made_and_has_the_labels_asked_for(where):
    made = series()
    for expression in expressions() if where == "dashboard" else [rule["expr"] for rule in rules()]:
        names = WATCHED.findall(expression)
        assert set(names) <= made.keys(), expression
        asked = re.findall(r"(\w+)(?:=~|!=|=)\"", expression) + re.split(r"[,\s]+", _grouped(expression))
        known = {label for name in names for label in made[name]} | {"job", ""}
        assert set(asked) <= known, expression


def _grouped(expression: str) -> str:
    return ",".join(re.findall(r"by \(([^)]*)\)", expression))


def test_every_figure_of_ours_is_on_the_dashboard():
    watched = {re.sub(r"_(bucket|sum|count)$", "", name) for text in expressions() for name in WATCHED.findall(text)}
    made = {re.sub(r"_(bucket|sum|count)$", "", name) for name in series()}
    assert made == watched


def test_the_dashboard_has_no_panel_twice_and_none_without_a_place():
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)


def test_promtool_accepts_our_metrics_page():
    page = metrics.page().decode()
    checked = subprocess.run(
        [tool("promtool"), "check", "metrics"], input=page, capture_output=True, text=True, check=False
    )
    assert "error" not in checked.stderr.lower(), checked.stderr
