"""What an invocation changed in our metrics is said once, in CloudWatch's embedded format."""

from __future__ import annotations

import io
import json

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from shared import metrics
from shared.aws.emf import Reporter, lines, snapshot


class Figures:
    """A counter, a histogram and a gauge of ours in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.calls = Counter("bitbylaw_calls_total", "c", ["upstream"], registry=self.registry)
        self.seconds = Histogram("bitbylaw_run_seconds", "h", registry=self.registry)
        self.depth = Gauge("bitbylaw_depth", "g", ["queue"], registry=self.registry)
        Counter("foreign_total", "not ours", registry=self.registry).inc()

    def now(self):
        return snapshot(self.registry.collect())


def documents(before, after) -> list[dict]:
    return [json.loads(line) for line in lines(before, after, 1_700_000_000_000)]


def test_a_counter_says_what_it_grew_by_under_its_labels():
    figures = Figures()
    figures.calls.labels("google").inc(5)
    before = figures.now()
    figures.calls.labels("google").inc(2)
    (document,) = documents(before, figures.now())
    assert document["bitbylaw_calls_total"] == 2
    assert document["upstream"] == "google"
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    assert directive == {
        "Namespace": "bitbylaw",
        "Dimensions": [["upstream"]],
        "Metrics": [{"Name": "bitbylaw_calls_total", "Unit": "Count"}],
    }
    assert document["_aws"]["Timestamp"] == 1_700_000_000_000


def test_a_histogram_says_mean_and_number():
    figures = Figures()
    before = figures.now()
    figures.seconds.observe(1.0)
    figures.seconds.observe(3.0)
    (document,) = documents(before, figures.now())
    assert document["bitbylaw_run_seconds"] == {"Values": [2.0], "Counts": [2]}
    assert document["_aws"]["CloudWatchMetrics"][0]["Metrics"] == [{"Name": "bitbylaw_run_seconds", "Unit": "Seconds"}]


def test_a_gauge_says_its_value_also_when_it_is_back_at_zero():
    figures = Figures()
    figures.depth.labels("lead").set(3)
    before = figures.now()
    figures.depth.labels("lead").set(0)
    assert documents(before, figures.now())[0]["bitbylaw_depth"] == 0


def test_where_nothing_happened_nothing_is_said():
    figures = Figures()
    figures.calls.labels("google").inc()
    assert documents(figures.now(), figures.now()) == []


def test_a_reporter_says_everything_once_and_nothing_of_other_libraries():
    out = io.StringIO()
    reporter = Reporter(out)
    metrics.TOKEN_REFRESHES.labels("emf-test").inc()
    reporter.report(1)
    reporter.report(2)
    (line,) = [each for each in out.getvalue().splitlines() if "emf-test" in each and "refreshes" in each]
    assert json.loads(line)["bitbylaw_token_refreshes_total"] == 1
    assert "python_gc" not in out.getvalue()
