"""Create tables and a bucket as the stacks do: tables in the model of DynamoDB or in moto, the bucket in moto."""

import json
import random
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from functools import cache
from typing import Any, ClassVar
from unittest import mock

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core import responses as moto_responses
from moto.core.base_backend import BaseBackend
from moto.s3.models import s3_backends

from aftersend.aws import custom_resource
from aftersend.contract import FEEDBACK_INDEXES, PARTITION_KEY
from tests.world import calls
from tests.world.conformance import table_definition
from tests.world.dynamodb import DynamoDB, selected
from tests.world.dynamodb_limits import item_bytes

UNKNOWN = {"Limit", "ReturnValues", "Select"}
"""Parameters that the model of DynamoDB would ignore."""


class Model(DynamoDB):
    """Returns all items on one page, as moto does, and refuses what the model does not know."""

    def answer(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        assert not UNKNOWN & parameters.keys(), "let the test use the fixture moto_dynamodb"
        return getattr(self, operation)(parameters)

    def DescribeTable(self, call: dict[str, Any]) -> dict[str, Any]:
        return {"Table": {"TableSizeBytes": sum(map(item_bytes, self.tables[call["TableName"]].items.values()))}}

    def Scan(self, call: dict[str, Any]) -> dict[str, Any]:
        """Return the items of a partition together, as DynamoDB does."""
        answer = super().Scan(call)
        answer["Items"].sort(key=lambda item: item[PARTITION_KEY]["S"])
        return answer

    def _page(self, call: dict[str, Any], items: list[dict[str, Any]]) -> dict[str, Any]:
        return {"Items": selected(call, items), "Count": len(items)}


def cached_urls(urls: Callable[[BaseBackend], dict[str, Any]]) -> Any:
    by_service: dict[type, dict[str, Any]] = {}

    def cached(backend: BaseBackend) -> dict[str, Any]:
        if type(backend) not in by_service:
            by_service[type(backend)] = urls(backend)
        return by_service[type(backend)]

    return property(cached)


# moto computes for each request what depends on the service alone: its methods, and its URLs, for which it may load a
# module again.
moto_responses.method_names_from_class = cache(moto_responses.method_names_from_class)  # ty: ignore[invalid-assignment]
BaseBackend.urls = cached_urls(BaseBackend.urls.fget)


class Session(boto3.Session):
    """Creates the client of a service once: it has no state, and takes longer to create than most tests."""

    _clients: ClassVar[dict[tuple[str, bool], Any]] = {}
    model: Model | None = None
    """What answers for DynamoDB in place of moto."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # botocore composes its own for each request, which takes a tenth of the time.
        self._session.set_default_client_config(Config(user_agent="test"))

    def client(self, service_name: str, **options: Any) -> Any:  # ty: ignore[incompatible-method-override]
        is_model = service_name == "dynamodb" and self.model is not None
        if options and not is_model:
            return super().client(service_name, **options)
        key = service_name, is_model
        if key not in self._clients:
            self._clients[key] = self.new_client(service_name)
        return self._clients[key]

    def new_client(self, service: str) -> Any:
        """Return a client with which a test may register handlers, because no other test uses it."""
        if service == "dynamodb" and self.model:
            return calls.client(service, lambda: self.answer)
        # moto asks who calls in S3 alone, and signing takes a twentieth of the time.
        return super().client(service, **{} if service == "s3" else {"config": Config(signature_version=UNSIGNED)})

    def answer(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        assert self.model
        return self.model.answer(operation, parameters)


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
def dynamodb(request: pytest.FixtureRequest, aws: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Create the tables in the model that tests/world holds to moto, which takes a tenth of the time."""
    if "moto_dynamodb" in request.fixturenames:
        return request.getfixturevalue("moto_dynamodb")
    model = Model(random.Random(1), lambda: datetime.now(UTC), plain=[*TABLES], streamed=[])
    monkeypatch.setattr(SESSION, "model", model)
    return SESSION.client("dynamodb")


@pytest.fixture
def moto_dynamodb(aws: None) -> Any:
    """Create the tables in moto, for tests of requests, and of those that the model does not know."""
    client = SESSION.client("dynamodb")
    for table in TABLES:
        indexes = FEEDBACK_INDEXES if table == "ledger" else {}
        client.create_table(**table_definition(table, indexes))
    return client


@pytest.fixture
def s3(aws: None) -> Any:
    s3_backends[DEFAULT_ACCOUNT_ID]["aws"].create_bucket(BUCKET, "us-east-1")  # a request takes ten times as long
    return SESSION.client("s3")


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
