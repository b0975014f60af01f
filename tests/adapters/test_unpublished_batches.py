"""Redrive batches of changes that could not be published, with the command, over moto and a fake function."""

import io
import json
from typing import Any

import boto3
import pytest

from aftersend.aws.unpublished_batches import FUNCTION_OUTPUT, MAPPING_OUTPUT
from tests.adapters.test_deployment import Session
from tests.adapters.test_operations_commands import BATCH, Shop, run

KEY, OTHER = "aws/lambda/mapping/shard/1", "aws/lambda/other/shard/1"
RECORDS = {"Records": [{"eventName": "INSERT"}]}
DONE, FAILED = {"batchItemFailures": []}, {"batchItemFailures": [{"itemIdentifier": "1"}]}


class FakeFunctions:
    """AWS Lambda with one function, which returns the same result every time."""

    def __init__(self) -> None:
        self.result: Any = DONE
        self.invocations: list[Any] = []

    def invoke(self, FunctionName: str, Payload: bytes) -> Any:  # noqa: N803 (boto3's names)
        self.invocations.append((FunctionName, json.loads(Payload)))
        return {"Payload": io.BytesIO(json.dumps(self.result).encode())}


class SessionWithFunctions(Session):
    """A session whose functions are fake."""

    functions = FakeFunctions()

    def client(self, service: str, **_: Any) -> Any:
        return self.functions if service == "lambda" else super().client(service)


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> FakeFunctions:
    monkeypatch.setattr(SessionWithFunctions, "functions", FakeFunctions())
    return SessionWithFunctions.functions


@pytest.fixture
def shop(s3: Any, functions: FakeFunctions, monkeypatch: pytest.MonkeyPatch) -> Shop:
    stacks: dict[str, dict[str, str]] = {}
    monkeypatch.setattr(boto3, "Session", lambda *_, **__: SessionWithFunctions(stacks))
    shop = Shop(s3, stacks)
    shop.outputs |= {FUNCTION_OUTPUT: "PublishSuppressions", MAPPING_OUTPUT: "mapping"}
    shop.put(KEY, json.dumps(BATCH | {"payload": json.dumps(RECORDS)}).encode())
    shop.put(OTHER, json.dumps(BATCH).encode())
    return shop


@pytest.mark.slow
def test_batches_of_both_functions_are_listed_by_kind(shop: Shop):
    lines = [json.loads(line) for line in run("failures", "list", "--json", exits=1).stdout.splitlines()]
    assert sorted((line["kind"], line["id"]) for line in lines) == [
        ("failed-batch", f"{OTHER}#1"),
        ("unpublished-batch", f"{KEY}#1"),
    ]


@pytest.mark.parametrize("selection", [[], ["--kind", "unpublished-batch"], [KEY]], ids=["all", "kind", "key"])
def test_batch_is_handed_to_the_function_and_deleted(selection: list[str], shop: Shop, functions: FakeFunctions):
    output = run("failures", "redrive", *selection, "--yes").stdout
    assert "unpublished-batch: 1, to publish_suppressions" in output
    assert functions.invocations == [("PublishSuppressions", RECORDS)]
    assert shop.keys() == [OTHER]


@pytest.mark.parametrize("result", [FAILED, {"errorMessage": "denied"}], ids=["refused", "error"])
def test_batch_that_fails_again_stays(result: Any, shop: Shop, functions: FakeFunctions):
    functions.result = result
    refused = run("failures", "redrive", "--kind", "unpublished-batch", "--yes", exits=1)
    assert "Read the log of the function" in refused.output
    assert shop.keys() == [KEY, OTHER]


def test_batch_without_its_records_stays(shop: Shop, functions: FakeFunctions):
    shop.put(KEY, json.dumps(BATCH).encode())
    run("failures", "redrive", "--kind", "unpublished-batch", "--yes", exits=1)
    assert functions.invocations == []
    assert shop.keys() == [KEY, OTHER]
