"""Create tables and a bucket in moto as the stacks do."""

import json
from collections.abc import Generator, Mapping
from typing import Any, ClassVar
from unittest import mock

import boto3
import pytest
from moto import mock_aws

from aftersend.aws import custom_resource
from aftersend.contract import FEEDBACK_INDEXES, PARTITION_KEY, SORT_KEY


class Session(boto3.Session):
    """Creates the client of a service once: it has no state, and takes longer to create than most tests."""

    _clients: ClassVar[dict[str, Any]] = {}

    def client(self, service_name: str, **options: Any) -> Any:  # ty: ignore[incompatible-method-override]
        if options:
            return super().client(service_name, **options)
        if service_name not in self._clients:
            self._clients[service_name] = self.new_client(service_name)
        return self._clients[service_name]

    def new_client(self, service: str) -> Any:
        """Return a client with which a test may register handlers, because no other test uses it."""
        return super().client(service)


SESSION = Session("test", "test", region_name="us-east-1")
"""One session for all tests: a new one would load the service models again, a third of a second each time."""

TABLES = ("ledger", "counters", "suppressions")
BUCKET = "archive"


@pytest.fixture
def aws() -> Generator[None]:
    # botocore's calls alone are answered: to prepare answers for other HTTP clients takes longer than most tests.
    with mock.patch("moto.core.models.RESPONSES_METHODS", ()), mock_aws():
        yield


@pytest.fixture
def dynamodb(aws: None) -> Any:
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
