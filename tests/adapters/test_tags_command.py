"""Run `aftersend tags` and `aftersend status`."""

import json
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from aftersend.aws.deployed_recorder import DeployedCounting
from aftersend.aws.deployment import Deployment
from aftersend.cli import status as status_command
from aftersend.cli import tags as tags_command
from aftersend.cli.deployment import Target
from aftersend.cli.main import app
from aftersend.counting import FROM_DOMAIN, Counted
from aftersend.metrics.reputation import Reputation
from aftersend.retention import Retention
from tests.adapters.healthy import ENVIRONMENT, OUTPUTS, Services, an_alarm, metrics, queue_attributes
from tests.adapters.reputation import ReputationShop, reputation_shop

__all__ = ["reputation_shop"]

NOW = datetime.now(UTC)
HOUR = NOW.replace(minute=0, second=0, microsecond=0)


@pytest.fixture
def shop(reputation_shop: ReputationShop, dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> ReputationShop:
    deployment = SimpleNamespace(
        name="shop", client=lambda _: dynamodb, output=lambda _: "counters", outputs={"CountersTableName": "counters"}
    )
    connect = _connected(Target(deployment, ENVIRONMENT))  # ty: ignore[invalid-argument-type]
    counted = DeployedCounting(Counted(tags=("campaign",), link_tags=("position",)), Retention())
    monkeypatch.setattr(tags_command, "connected", connect)
    monkeypatch.setattr(tags_command, "deployed_counting", lambda _: counted)
    monkeypatch.setattr(tags_command, "deployed_reputation", lambda _: Reputation())
    return reputation_shop


def _connected(target: Target) -> Any:
    return lambda _: nullcontext(target)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments])


def test_table_has_the_worst_value_first(shop: ReputationShop):
    shop.count("spring", HOUR, "campaign", send=2_000, delivery=1_980, hard_bounce=20, unique_opens=495)
    shop.count("clearance", HOUR, "campaign", send=2_000, delivery=1_700, hard_bounce=300)
    shop.count("top", HOUR, "link:position", click=12)
    result = run("tags", "--env", "shop")
    lines = [line.split() for line in result.stdout.splitlines() if "=" in line]
    assert result.exit_code == 0
    assert [line[0] for line in lines] == ["campaign=clearance", "campaign=spring", "link:position=top"]
    assert lines[0][-1] == "critical"
    assert lines[1][1:] == [
        "2,000",
        "99.0",
        "%",
        "20",
        "(1.0",
        "%)",
        "0",
        "0",
        "(0.00",
        "%)",
        "25.0",
        "%",
        "0.0",
        "%",
        "healthy",
    ]
    assert lines[2][-2:] == ["12", "too-few"]


def test_json_has_a_line_for_each_row_and_the_limit_leaves_the_worst(shop: ReputationShop):
    for number in range(3):
        shop.count(f"campaign-{number}", HOUR, "campaign", send=100 + number)
    result = run("tags", "--env", "shop", "--tag", "campaign", "--sort", "sends", "--limit", "2", "--json")
    assert [json.loads(line)["value"] for line in result.stdout.splitlines()] == ["campaign-2", "campaign-1"]
    assert "1 more rows" in result.stderr


def test_range_leaves_out_what_was_sent_before(shop: ReputationShop):
    shop.count("old", HOUR - timedelta(hours=30), "campaign", send=7)
    assert "No mail of messages sent since" in run("tags", "--env", "shop", "--tag", "campaign").stdout
    assert "campaign=old" in run("tags", "--env", "shop", "--tag", "campaign", "--since", "2d").stdout


def test_from_domains_are_shown_and_a_tag_that_is_named_twice_once(shop: ReputationShop):
    shop.count("bookshop.example", HOUR, FROM_DOMAIN, send=7)
    assert run("tags", "--env", "shop").stdout.count("ses:from-domain=bookshop.example") == 1
    twice = run("tags", "--env", "shop", "--tag", FROM_DOMAIN, "--tag", FROM_DOMAIN, "--json")
    assert [json.loads(line)["sends"] for line in twice.stdout.splitlines()] == [7]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--env", "shop", "--tag", "campain"), "'campain' is not counted in shop. Counted are: ses:configuration-set"),
        ((), "Name the environment: --env NAME."),
        (("--env", "shop", "--since", "2000-01-01"), "--since is more than 400 days ago."),
    ],
)
def test_mistake_is_named(shop: ReputationShop, arguments: tuple[str, ...], message: str):
    result = run("tags", *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())


def status_of(changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    deployment = Deployment("shop", Services(changes))
    deployment.outputs = dict(OUTPUTS)
    monkeypatch.setattr(status_command, "connected", _connected(Target(deployment, ENVIRONMENT)))
    return run("status", "--env", "shop", *arguments)


def test_healthy_deployment_needs_no_attention(monkeypatch: pytest.MonkeyPatch):
    result = status_of({}, monkeypatch)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("shop: healthy, ")
    assert "failed records    none" in result.stdout
    assert "news: bounce rate" in result.stdout


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (an_alarm(StateValue="ALARM"), "! alarm             CountingLate"),
        ({"get_metric_data": metrics(IteratorAge=[2_000_000])}, "has waited for 33 min"),
        ({"get_queue_attributes": queue_attributes("ArchiveDeadLetterQueue")}, "! failed records"),
    ],
)
def test_what_needs_attention_is_marked(changes: dict[str, Any], line: str, monkeypatch: pytest.MonkeyPatch):
    result = status_of(changes, monkeypatch)
    assert (result.exit_code, result.stdout.partition(",")[0]) == (1, "shop: 1 thing needs attention")
    assert line in result.stdout


def test_status_as_json_has_every_line(monkeypatch: pytest.MonkeyPatch):
    document = json.loads(status_of({}, monkeypatch, "--json").stdout)
    assert (document["environment"], document["problems"]) == ("shop", 0)
    assert {line["name"] for line in document["lines"]} >= {"mail", "failed records", "alarms", "rates"}
