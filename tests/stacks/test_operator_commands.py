"""Show that the policies for people allow the calls of `suppressions` and `resume`, the reader's only to read.

Neither allows to send: whoever uses `send` has permissions of their own for it (docs/operations.md, Permissions)."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from aws_cdk.assertions import Template
from typer.testing import CliRunner

from aftersend.aws.connection import find_deployment
from aftersend.cli import deployment as cli_deployment
from aftersend.cli.main import app
from aftersend.dashboard.request import Functions, parse_request
from aftersend.metrics.guard import NOTHING
from aftersend.suppression import Policy
from lambdas import widget_recipient
from tests.adapters.conftest import SESSION, aws, dynamodb, moto_dynamodb, s3
from tests.adapters.reputation import ReputationShop, reputation_shop
from tests.adapters.suppression_shop import ShopSession, SuppressionShop, invoke, run, shop
from tests.adapters.test_resume import PAUSED, SesSession
from tests.evaluators.calls import required_calls
from tests.evaluators.iam import Call, Statement, is_allowed, statements_of_policy
from tests.evaluators.templates import Templates
from tests.event_factory import READER, a_bounce

__all__ = ["aws", "dynamodb", "moto_dynamodb", "reputation_shop", "s3", "shop"]

pytestmark = pytest.mark.usefixtures("moto_dynamodb")

NOT_RECORDED = ("cloudformation", "lambda", "sts")
"""Services that every command calls, to find the deployment and its settings."""


@pytest.fixture(scope="module")
def environment(templates: dict[str, Template]) -> Templates:
    return Templates({name: template.to_json() for name, template in templates.items()})


@pytest.fixture
def calls(shop: SuppressionShop, environment: Templates, monkeypatch: pytest.MonkeyPatch) -> set[Call]:
    """Collect the calls that commands make."""
    recorded: set[Call] = set()
    tables = [table.name for table in environment.of_type("AWS::DynamoDB::Table")]
    names = {name: next(each for each in tables if name.title() in each) for name in ("ledger", "suppressions")}
    names[shop.hash_key_secret] = environment.only("AWS::SecretsManager::Secret").arn
    create = ShopSession.client

    def record(params: dict[str, Any], model: Any, **_: Any) -> None:
        recorded.update(required_calls(model.name, params, names))

    def client(self: ShopSession, service: str, **options: Any) -> Any:
        made = create(self, service, **options)
        if service not in NOT_RECORDED:
            made.meta.events.register("provide-client-params", record, unique_id="calls")
        return made

    monkeypatch.setattr(ShopSession, "client", client)
    monkeypatch.setattr(SESSION, "client", SESSION.new_client)
    return recorded


def policy(environment: Templates, name: str) -> list[Statement]:
    [resource] = [each for each in environment.of_type("AWS::IAM::ManagedPolicy") if f"Policies{name}" in each.name]
    return statements_of_policy(resource)


def denied(calls: set[Call], statements: list[Statement]) -> set[str]:
    return {f"{call.action} on {call.resource}" for call in calls if not is_allowed(call, statements)}


def read_suppressions(tmp_path: Path) -> None:
    run("list")
    run("explain", READER, exits=1)
    file = tmp_path / "list.txt"
    file.write_text(f"{READER}\n")
    run("check", file, exits=1)
    message = ("--from", "news@bookshop.example", "--to", READER, "--subject", "Spring", "--text", "Books")
    invoke("send", *message, "--dry-run", exits=1)


def test_reader_may_make_every_call_of_commands_that_read(
    shop: SuppressionShop, calls: set[Call], environment: Templates, tmp_path: Path
):
    shop.record(a_bounce(sent_at=datetime.now(UTC)))
    calls.clear()
    read_suppressions(tmp_path)
    assert denied(calls, policy(environment, "Reader")) == set()
    assert {call.action for call in calls} >= {"dynamodb:Scan", "secretsmanager:GetSecretValue"}


def test_no_policy_allows_to_send(environment: Templates):
    statements = policy(environment, "Reader") + policy(environment, "Operator")
    calls = {
        Call(f"ses:{action}", "arn:aws:ses:eu-west-1:222222222222:identity/bookshop.example")
        for action in ("SendEmail", "SendRawEmail")
    }
    assert len(denied(calls, statements)) == 2


@pytest.mark.parametrize("parameters", [{"query": READER}, {"query": "read"}, {"message": "message-1"}])
def test_reader_may_make_every_call_of_the_panel_of_recipients(
    shop: SuppressionShop,
    calls: set[Call],
    environment: Templates,
    monkeypatch: pytest.MonkeyPatch,
    parameters: dict[str, str],
):
    shop.stacks["Aftersend-shop-State"]["LedgerTableName"] = "ledger"
    monkeypatch.setattr(widget_recipient, "PACE_SECONDS", 0)
    request = parse_request(parameters, datetime.now(UTC), Functions("arn:show", None))
    assert [*widget_recipient.show(request, find_deployment("shop"))]
    assert calls
    assert denied(calls, policy(environment, "Reader")) == set()


@pytest.mark.parametrize("selected", [(), ("--message", "message-1")])
def test_reader_may_make_every_call_of_the_listing_of_feedback(
    shop: SuppressionShop, calls: set[Call], environment: Templates, selected: tuple[str, ...]
):
    invoke("feedback", *selected)
    assert denied(calls, policy(environment, "Reader")) == set()
    assert {call.resource.rpartition("/")[0].rpartition("/")[2] for call in calls} == {"index"}


def test_operator_may_make_every_call_of_commands_that_write_and_the_reader_may_not(
    shop: SuppressionShop, calls: set[Call], environment: Templates
):
    shop.set_policy(Policy(account_list="sync"))
    shop.put_on_account_list(READER)
    calls.clear()
    run("add", READER, "--note", "test")
    run("remove", READER)
    run("add", READER, "--note", "test")
    run("remove", "--rule", "added-by-operator", "--yes")
    reader, operator = policy(environment, "Reader"), policy(environment, "Operator")
    assert denied(calls, reader + operator) == set()
    assert {refusal.split()[0] for refusal in denied(calls, reader)} == {
        "dynamodb:PutItem",
        "ses:DeleteSuppressedDestination",
    }


def test_operator_may_make_every_call_of_resume_and_the_reader_may_not(
    reputation_shop: ReputationShop, environment: Templates, monkeypatch: pytest.MonkeyPatch
):
    recorded: set[Call] = set()
    [counters] = [each.name for each in environment.of_type("AWS::DynamoDB::Table") if "Counters" in each.name]

    def record(params: dict[str, Any], model: Any, **_: Any) -> None:
        recorded.update(required_calls(model.name, params, {"counters": counters}))

    class Recording(SesSession):
        def client(self, service: str, **options: Any) -> Any:
            made = super().client(service, **options)
            if service == "dynamodb":
                made.meta.events.register("provide-client-params", record, unique_id="resume")
            return made

    ses = reputation_shop.ses
    monkeypatch.setattr(SESSION, "client", SESSION.new_client)
    monkeypatch.setattr(boto3, "Session", lambda *_, **__: Recording(ses))
    monkeypatch.setattr(cli_deployment, "PACE_SECONDS", 0)
    reputation_shop.states.replace("newsletter", NOTHING, PAUSED)
    ses.enabled["newsletter"] = False
    words = ["resume", "newsletter", "--env", "shop", "--reason", "repaired", "--yes"]
    assert CliRunner().invoke(app, words).exit_code == 0
    operations = {"get": "GetConfigurationSet", "put": "PutConfigurationSetSendingOptions"}
    for operation, name in (call.split() for call in ses.calls):
        recorded.update(required_calls(operations[operation], {"ConfigurationSetName": name}, {}))
    reader, operator = policy(environment, "Reader"), policy(environment, "Operator")
    assert denied(recorded, reader + operator) == set()
    assert {refusal.split()[0] for refusal in denied(recorded, reader)} == {
        "dynamodb:PutItem",
        "ses:PutConfigurationSetSendingOptions",
    }
