"""Create tables and a bucket as the stacks do: tables in the model of DynamoDB or in moto, the bucket in moto."""

import json
import random
from collections.abc import Generator, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar
from unittest import mock

import boto3
import pytest
from moto import mock_aws

from aftersend.aws import custom_resource
from aftersend.contract import FEEDBACK_INDEXES, PARTITION_KEY, SORT_KEY
from tests.world import calls
from tests.world.dynamodb import DynamoDB


class Session(boto3.Session):
    """Creates the client of a service once: it has no state, and takes longer to create than most tests."""

    _clients: ClassVar[dict[tuple[str, bool], Any]] = {}
    model: DynamoDB | None = None
    """What answers for DynamoDB in place of moto."""

    def client(self, service_name: str, **options: Any) -> Any:  # ty: ignore[incompatible-method-override]
        if options:
            return super().client(service_name, **options)
        key = service_name, service_name == "dynamodb" and self.model is not None
        if key not in self._clients:
            self._clients[key] = self.new_client(service_name)
        return self._clients[key]

    def new_client(self, service: str) -> Any:
        """Return a client with which a test may register handlers, because no other test uses it."""
        if service == "dynamodb" and self.model:
            return calls.client(service, lambda: self._answer)
        return super().client(service)

    def _answer(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        assert not UNKNOWN_TO_MODEL & parameters.keys(), "use moto_dynamodb for filters and indexes"
        return getattr(self.model, operation)(parameters)


SESSION = Session("test", "test", region_name="us-east-1")
"""One session for all tests: a new one would load the service models again, a third of a second each time."""

UNKNOWN_TO_MODEL = {"FilterExpression", "IndexName", "Limit", "ReturnValues", "Select"}

TABLES = ("ledger", "counters", "suppressions")
BUCKET = "archive"


@pytest.fixture
def aws() -> Generator[None]:
    # botocore's calls alone are answered: to prepare answers for other HTTP clients takes longer than most tests.
    with mock.patch("moto.core.models.RESPONSES_METHODS", ()), mock_aws():
        yield


@pytest.fixture
def dynamodb(aws: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Create the tables in the model that tests/world holds to moto, which takes a tenth of the time."""
    model = DynamoDB(random.Random(1), lambda: datetime.now(UTC), plain=[*TABLES], streamed=[])
    monkeypatch.setattr(SESSION, "model", model)
    return SESSION.client("dynamodb")


@pytest.fixture
def moto_dynamodb(aws: None) -> Any:
    """Create the tables in moto. Modules that import this as `dynamodb` test requests which the model does not know."""
    client = SESSION.client("dynamodb")
    for table in TABLES:
        indexes = FEEDBACK_INDEXES if table == "ledger" else {}
        client.create_table(**table_definition(table, indexes))
    return client


def table_definition(name: str, indexes: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    names = {PARTITION_KEY, SORT_KEY}.union(*indexes.values())
    described = [
        {"IndexName": index, "KeySchema": key_schema(*keys), "Projection": {"ProjectionType": "ALL"}}
        for index, keys in indexes.items()
    ]
    return {
        "TableName": name,
        "KeySchema": key_schema(PARTITION_KEY, SORT_KEY),
        "AttributeDefinitions": [{"AttributeName": each, "AttributeType": "S"} for each in names],
        "BillingMode": "PAY_PER_REQUEST",
        **({"GlobalSecondaryIndexes": described} if described else {}),
    }


def key_schema(partition: str, sort: str) -> list[dict[str, str]]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]


@pytest.fixture
def s3(aws: None) -> Any:
    client = SESSION.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture
def responses(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Collect the responses sent to CloudFormation."""
    collected: list[dict[str, Any]] = []

    class Connection:
        def close(self) -> None:
            pass

    def urlopen(request: Any, timeout: float) -> Connection:
        assert (request.method, request.full_url) == ("PUT", "https://cloudformation.example/response")
        collected.append(json.loads(request.data))
        return Connection()

    monkeypatch.setattr(custom_resource, "urlopen", urlopen)
    return collected
