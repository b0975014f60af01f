"""Run `aftersend dashboard`, and draw its graphs from the counters of a local run."""

import threading
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree.ElementTree import tostring

import pytest
from typer.testing import CliRunner

from aftersend.aws.counters_table import CountersTable
from aftersend.aws.deployment import Deployment, LocalRun
from aftersend.cli import dashboard
from aftersend.cli.dashboard_graphs import draw
from aftersend.cli.main import app
from aftersend.counting import CONFIGURATION_SET, START, Row
from tests.adapters.test_deployment import Session, stacks
from tests.dashboard_stub import CHANGE, SHOW, Clients, deployment

__all__ = ["stacks"]

HOUR = datetime(2026, 3, 14, 9, tzinfo=UTC)
FUNCTIONS = {"ShowWidgetsFunctionName": SHOW, "ChangeSuppressionsFunctionName": CHANGE}
SENT = {"title": "Sent", "metrics": [["Aftersend", "send", "ConfigurationSet", "news", {"label": "news send"}]]}


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["dashboard", "--env", "shop", *arguments])
    return result.exit_code, result.output


@pytest.fixture
def deployed(stacks: dict[str, dict[str, str]]) -> None:
    stacks["Aftersend-shop-Dashboard"] = FUNCTIONS | {"DashboardName": "Dashboard-1"}


def test_command_serves_until_it_is_interrupted(deployed: None, monkeypatch: pytest.MonkeyPatch):
    ports = []

    @contextmanager
    def served(_: object, port: int) -> Generator[str]:
        ports.append(port)
        yield f"http://127.0.0.1:{port}/"

    class Interrupted:
        def wait(self) -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr(dashboard, "served", served)
    monkeypatch.setattr(threading, "Event", Interrupted)
    assert run("--port", "8100") == (0, "The dashboard of shop: http://127.0.0.1:8100/ (press Ctrl-C to end)\n")
    assert ports == [8100]


def test_port_in_use_is_named(deployed: None, monkeypatch: pytest.MonkeyPatch):
    def served(*_: object) -> None:
        raise OSError(98, "Address already in use")

    monkeypatch.setattr(dashboard, "served", served)
    sentence = "Port 8026 of 127.0.0.1 cannot be used: Address already in use. Choose another with --port.\n"
    assert run() == (2, sentence)


def test_environment_without_a_dashboard_is_to_be_deployed_again(stacks: dict[str, dict[str, str]]):
    code, sentence = run()
    assert code == 2
    assert "The stacks of shop have no output ShowWidgetsFunctionName: deploy them again" in sentence


def texts(made: Deployment, properties: dict[str, Any]) -> str:
    drawn = draw(made, properties, HOUR, HOUR + timedelta(hours=3), 600)
    return " ".join(each if isinstance(each, str) else tostring(each, "unicode") for each in drawn)


def test_graph_of_a_local_run_has_the_figures_of_the_counters(dynamodb: Any):
    counts = Counter({(Row(CONFIGURATION_SET, "news", HOUR), "send"): 1_200})
    CountersTable(dynamodb, "counters").commit("shard", None, START, counts)
    local = Deployment("local", Session({}), LocalRun(1, "", "", 0))
    local.outputs["CountersTableName"] = "counters"
    drawn = texts(local, SENT)
    assert "news send, up to 1,200" in drawn
    assert "Values are of 60 min each" in drawn


def test_graph_of_rates_of_a_local_run_follows_from_the_counters(dynamodb: Any):
    day = [Row(CONFIGURATION_SET, "news", HOUR - number * timedelta(hours=1)) for number in range(3)]
    counts = Counter({**{(row, "send"): 400 for row in day}, (day[1], "hard_bounce"): 60})
    CountersTable(dynamodb, "counters").commit("shard", None, START, counts)
    local = Deployment("local", Session({}), LocalRun(1, "", "", 0))
    local.outputs["CountersTableName"] = "counters"
    dimensions = ["ConfigurationSet", "news", "Environment", "local"]
    drawn = texts(local, {"metrics": [["Aftersend", "bounce_rate", *dimensions, {"label": "news"}]]})
    assert "news, up to 5" in drawn


def test_graph_of_what_is_not_counted_is_empty_in_a_local_run(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Clients, "paginate", lambda *_, **__: [])
    local = deployment(Clients([], {}))
    local.local_run = LocalRun(1, "", "", 0)
    assert "The emulator makes no metrics" in texts(local, {"metrics": [["AWS/SQS", "Age"]]})


def test_graph_of_a_deployment_has_the_metrics_of_cloudwatch():
    assert "news send, up to 3" in texts(deployment(Clients([], {})), SENT)
