"""Provide a deployment with ledger and suppression list over moto, for the commands of `aftersend suppressions`."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from aftersend.aws import deployment
from aftersend.aws.ledger_table import LedgerTable
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.cli.main import app
from aftersend.contract import PARTITION_KEY, SORT_KEY
from aftersend.events import Event
from aftersend.recipient_hash import keyed_hash
from aftersend.recorder import Recorder
from aftersend.retention import Retention
from aftersend.suppression import Entry, Policy
from tests.adapters.conftest import SESSION
from tests.adapters.test_deployment import Session
from tests.fakes import immediate_attempts

FUNCTION, HASH_KEY = "record-feedback", "key"


class ListDeployment(Session):
    """The deployment that the commands find with `--env shop`; it is its own client of AWS Lambda."""

    def __init__(self, dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.dynamodb, self.policy = dynamodb, Policy()
        secret = SESSION.client("secretsmanager").create_secret(Name="key", SecretString=HASH_KEY)
        state = {
            "LedgerTableName": "ledger",
            "SuppressionsTableName": "suppressions",
            "RecipientHashKeySecretArn": secret["ARN"],
        }
        pipeline = {"RecordFeedbackFunctionName": FUNCTION}
        super().__init__({"Aftersend-shop-State": state, "Aftersend-shop-Pipeline": pipeline})
        monkeypatch.setattr(deployment.boto3, "Session", lambda *_, **__: self)

    def client(self, service: str, **options: Any) -> Any:
        return self if service == "lambda" else super().client(service, **options)

    def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803 (boto3's name)
        assert FunctionName == FUNCTION
        variables = {"POLICY": self.policy, "RETENTION": Retention()}
        return {
            "Environment": {
                "Variables": {name: msgspec.json.encode(value).decode() for name, value in variables.items()}
            }
        }

    @property
    def table(self) -> SuppressionsTable:
        return SuppressionsTable(self.dynamodb, "suppressions")

    @property
    def recorder(self) -> Recorder:
        ledger = LedgerTable(self.dynamodb, "ledger", Retention())
        now = datetime.now(UTC)
        return Recorder(ledger, self.table, self.policy, ledger.retention_history(now), lambda: now, immediate_attempts)

    def record(self, *events: Event) -> None:
        self.recorder.record(events)

    def entries(self) -> dict[tuple[str, str], Entry]:
        return {(entry.recipient, entry.scope): entry for entry in self.table.entries()}

    def suppressed(self) -> set[str]:
        """Return who is suppressed for all mail."""
        now = datetime.now(UTC)
        return {
            recipient for (recipient, scope), entry in self.entries().items() if entry.is_in_force(now) and scope == "*"
        }

    def forget(self, recipient: str) -> None:
        key = {PARTITION_KEY: "forgotten", SORT_KEY: keyed_hash(recipient, HASH_KEY)}
        self.dynamodb.put_item(TableName="suppressions", Item={name: {"S": value} for name, value in key.items()})

    def delete_entry(self, recipient: str) -> None:
        self.dynamodb.delete_item(TableName="suppressions", Key={PARTITION_KEY: {"S": recipient}, SORT_KEY: {"S": "*"}})


def run(*arguments: object, given: str | bytes = "", exits: int = 0) -> Result:
    result = CliRunner().invoke(app, ["suppressions", *map(str, arguments), "--env", "shop"], input=given)
    assert result.exit_code == exits, (result.output, result.exception)
    return result
