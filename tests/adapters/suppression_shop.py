"""Deploy an environment "shop" with a suppression list, as the commands `aftersend suppressions` find it."""

from typing import Any

import boto3
import msgspec
import pytest
from typer.testing import CliRunner, Result

from aftersend.aws.connection import find_deployment
from aftersend.aws.deployed_recorder import FUNCTION_OUTPUT, deployed_recorder
from aftersend.cli import deployment as cli_deployment
from aftersend.cli.main import app
from aftersend.contract import PARTITION_KEY, SORT_KEY, Variable
from aftersend.events import Event
from aftersend.recipient_hash import keyed_hash
from aftersend.retention import Retention
from aftersend.suppression import Entry, Policy
from local.ses import account_list as simulated
from tests.adapters.account_list import simulated_client
from tests.adapters.conftest import SESSION
from tests.adapters.test_deployment import Session

HASH_KEY = "the key of the tests"
FUNCTION = "Aftersend-shop-Pipeline-RecordFeedback"


class ShopSession(Session):
    """A session with the functions' settings and the simulated account list; all else is moto's."""

    def __init__(self, shop: "SuppressionShop") -> None:
        super().__init__(shop.stacks)
        self._shop = shop

    def client(self, service: str, **options: Any) -> Any:
        own = {"lambda": self._shop, "sesv2": self._shop.sesv2}
        return own.get(service) or super().client(service, **options)


class SuppressionShop:
    """The deployment, and what the tests change of it."""

    def __init__(self, dynamodb: Any, s3: Any) -> None:
        self.dynamodb = dynamodb
        self.account_list = simulated.AccountList()
        self.sesv2 = simulated_client(self.account_list, s3)
        secret = SESSION.client("secretsmanager").create_secret(Name="hash-key", SecretString=HASH_KEY)
        state = {"LedgerTableName": "ledger", "SuppressionsTableName": "suppressions"}
        self.hash_key_secret = state["RecipientHashKeySecretArn"] = secret["ARN"]
        self.stacks = {"Aftersend-shop-State": state, "Aftersend-shop-Pipeline": {FUNCTION_OUTPUT: FUNCTION}}
        self.variables = {Variable.RETENTION.value: msgspec.json.encode(Retention()).decode()}
        self.set_policy(Policy(account_list="read"))

    def set_policy(self, policy: Policy) -> None:
        self.variables[Variable.POLICY.value] = msgspec.json.encode(policy).decode()

    def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803 (boto3's name)
        assert FunctionName == FUNCTION
        return {"Environment": {"Variables": self.variables}}

    def record(self, *events: Event) -> None:
        """Record events as the functions do."""
        self._recorder().record(events)

    def entry(self, recipient: str) -> Entry | None:
        return self._recorder().suppressions.entries_of(recipient).get("*")

    def _recorder(self) -> Any:
        return deployed_recorder(find_deployment("shop"))

    def put_on_account_list(self, address: str, reason: str = "BOUNCE") -> None:
        self.sesv2.put_suppressed_destination(EmailAddress=address, Reason=reason)

    def forget(self, recipient: str) -> None:
        tombstone = {PARTITION_KEY: "forgotten", SORT_KEY: keyed_hash(recipient, HASH_KEY)}
        item = {name: {"S": value} for name, value in tombstone.items()}
        self.dynamodb.put_item(TableName="suppressions", Item=item)


@pytest.fixture
def shop(dynamodb: Any, s3: Any, monkeypatch: pytest.MonkeyPatch) -> SuppressionShop:
    shop = SuppressionShop(dynamodb, s3)
    monkeypatch.setattr(boto3, "Session", lambda *_, **__: ShopSession(shop))
    monkeypatch.setattr(cli_deployment, "PACE_SECONDS", 0)
    return shop


def run(*arguments: object, given: str = "", exits: int = 0) -> Result:
    """Run a command of the group, and check its exit code."""
    return invoke("suppressions", *arguments, given=given, exits=exits)


def invoke(*arguments: object, given: str = "", exits: int = 0) -> Result:
    """Run a command, and check its exit code."""
    words = [*map(str, arguments), "--env", "shop"]
    result = CliRunner().invoke(app, words, input=given)
    assert result.exit_code == exits, f"{result.output}{result.exception!r}"
    return result
