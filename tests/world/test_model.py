"""Hold the model to what moto answers (the emulator: tests/integration/test_model.py), to streams and to limits."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from aftersend.aws.serialization import serialize
from aftersend.contract import FEEDBACK_INDEXES
from tests.world.calls import CLIENTS
from tests.world.conformance import Call, Transcript, table_definition, transcript
from tests.world.dynamodb_limits import Item, item_bytes
from tests.world.world import World

KB, MB = 1024, 1024**2


def model_transcript(seed: int, table: str = "ledger", *, batches_over_25: bool = True) -> Transcript:
    world = World(seed)
    with world.answer_calls():
        return transcript(CLIENTS["dynamodb"], table, seed=seed, batches_over_25=batches_over_25)


@pytest.mark.parametrize("seed", range(5))
def test_model_answers_as_moto_does(seed: int):
    with mock_aws():
        dynamodb = boto3.client("dynamodb", region_name="us-east-1")
        dynamodb.create_table(**table_definition("table", FEEDBACK_INDEXES))
        moto_transcript = transcript(dynamodb, "table", seed=seed, batches_over_25=False)  # moto takes larger ones
    assert model_transcript(seed, batches_over_25=False) == moto_transcript


def test_unchanged_write_leaves_no_stream_record():
    world = World(1)
    item = an_item(number=1)
    for _ in range(3):
        world.dynamodb.PutItem({"TableName": "ledger", "Item": item})
    world.dynamodb.PutItem({"TableName": "ledger", "Item": item | serialize({"number": 2})})
    [shard] = world.dynamodb.tables["ledger"].shards
    assert [record.name for record in shard.records] == ["INSERT", "MODIFY"]


def test_records_of_an_item_stay_in_order_when_its_shard_is_split():
    world = World(2)
    for number in range(30):
        world.dynamodb.PutItem({"TableName": "ledger", "Item": an_item(f"p{number % 5}", number=number)})
        if number % 10 == 9:
            world.dynamodb.split_shard("ledger")
    shards = world.dynamodb.tables["ledger"].shards
    assert len(shards) == 7
    for shard in shards:
        assert [record.sequence for record in shard.records] == sorted(record.sequence for record in shard.records)
        if shard.parent and shard.records and shard.parent.records:
            assert shard.records[0].sequence > shard.parent.records[-1].sequence
    assert sum(len(shard.records) for shard in shards) == 30


def an_item(partition: str = "a", sort: str = "b", **attributes: Any) -> Item:
    return serialize({"partition_key": partition, "sort_key": sort} | attributes)


def an_item_of(size: int, sort: str = "b") -> Item:
    return an_item(sort=sort, text="x" * (size - item_bytes(an_item(sort=sort, text=""))))


def put(item: Item) -> dict[str, Any]:
    return {"Put": {"TableName": "counters", "Item": item}}


def update(key: Item, value: Item, name: str = "send") -> dict[str, Any]:
    return {
        "Update": {
            "TableName": "counters",
            "Key": key,
            "UpdateExpression": "ADD #name :value SET expires = :expires",
            "ExpressionAttributeNames": {"#name": name},
            "ExpressionAttributeValues": {":value": value, ":expires": {"N": "7"}},
        }
    }


def batch(*items: Item) -> Call:
    requests = [{"PutRequest": {"Item": item}} for item in items]
    return "batch_write_item", {"RequestItems": {"counters": requests}}


def transaction(*actions: dict[str, Any]) -> Call:
    return "transact_write_items", {"TransactItems": list(actions)}


WRITES: dict[str, Callable[[Item], Call]] = {
    "PutItem": lambda item: ("put_item", {"TableName": "counters", "Item": item}),
    "BatchWriteItem": lambda item: batch(an_item(sort="another"), item),
    "TransactWriteItems": lambda item: transaction(put(an_item(sort="another")), put(item)),
}


def outcome(call: Call, world: World | None = None) -> str:
    """Make a call and return the code of its error, or "done"; a refused call must not write anything."""
    operation, parameters = call
    world = world or World(1)
    items = world.dynamodb.tables["counters"].items
    before = dict(items)
    with world.answer_calls():
        try:
            getattr(CLIENTS["dynamodb"], operation)(**parameters)
        except ClientError as error:
            assert items == before
            return error.response["Error"]["Code"]
    return "done"


REFUSED = "ValidationException"

KEYS = [
    ("p" * 2_048, "s" * 1_024, "done"),
    ("é" * 1_024, "é" * 512, "done"),
    ("p" * 2_049, "s", REFUSED),
    ("é" * 1_024 + "p", "s", REFUSED),
    ("p", "s" * 1_025, REFUSED),
    ("", "s", REFUSED),
    ("p", "", REFUSED),
]


@pytest.mark.parametrize(("partition", "sort", "expected"), KEYS, ids=range(len(KEYS)))
def test_keys_are_limited_to_2048_and_1024_bytes(partition: str, sort: str, expected: str):
    key = an_item(partition, sort)
    for write in WRITES.values():
        assert outcome(write(key)) == expected
    assert outcome(transaction(put(an_item()), update(key, {"N": "1"}))) == expected
    for operation in ("get_item", "delete_item"):
        assert outcome((operation, {"TableName": "counters", "Key": key})) == expected


NUMBERS = [
    ("9" * 38, "done"),
    ("-" + "9" * 38, "done"),
    ("9" * 38 + "0" * 88, "done"),  # the greatest number
    ("1E+125", "done"),
    ("1E-130", "done"),
    ("0.000", "done"),
    ("9" * 39, REFUSED),
    ("1" + "0" * 37 + "1", REFUSED),
    ("1E+126", REFUSED),
    ("-1E+126", REFUSED),
    ("1E-131", REFUSED),
]


@pytest.mark.parametrize(("number", "expected"), NUMBERS, ids=range(len(NUMBERS)))
def test_numbers_are_limited_to_38_digits_and_a_range(number: str, expected: str):
    for write in WRITES.values():
        assert outcome(write(an_item() | {"number": {"N": number}})) == expected
        assert outcome(write(an_item() | {"list": {"L": [{"M": {"number": {"N": number}}}]}})) == expected
    if "." not in number and "E" not in number:
        assert outcome(transaction(update(an_item(), {"N": number}))) == expected


@pytest.mark.parametrize(("size", "expected"), [(0, REFUSED), (1, "done"), (65_535, "done"), (65_536, REFUSED)])
def test_attribute_names_are_limited_to_65535_bytes(size: int, expected: str):
    name = "n" * size
    for write in WRITES.values():
        assert outcome(write(an_item() | serialize({name: True}))) == expected
        assert outcome(write(an_item(tags={name: ["spring"]}))) == expected
    assert outcome(transaction(update(an_item(), {"N": "1"}, name))) == expected


def test_items_are_limited_to_400_kilobytes():
    for write in WRITES.values():
        assert outcome(write(an_item_of(400 * KB))) == "done"
        assert outcome(write(an_item_of(400 * KB + 1))) == REFUSED


def test_update_that_makes_an_item_or_a_number_too_large_cancels_the_transaction():
    world = World(1)
    greatest = {"N": "9" * 38 + "0" * 88}
    world.dynamodb.PutItem({"TableName": "counters", "Item": an_item_of(400 * KB, sort="large")})
    world.dynamodb.PutItem({"TableName": "counters", "Item": an_item(sort="number") | {"send": greatest}})
    for key, value in ((an_item(sort="large"), {"N": "1"}), (an_item(sort="number"), greatest)):
        assert outcome(transaction(put(an_item()), update(key, value)), world) == "TransactionCanceledException"


def test_transactions_are_limited_to_100_actions_on_an_item_each():
    actions = [put(an_item(sort=str(number))) for number in range(100)]
    assert outcome(transaction(*actions)) == "done"
    assert outcome(transaction(*actions, put(an_item()))) == REFUSED
    assert outcome(transaction()) == REFUSED
    assert outcome(transaction(put(an_item()), update(an_item(), {"N": "1"}))) == REFUSED


def update_of(terms: int, name: str = "s") -> dict[str, Any]:
    """Return an update with that many terms, the one that sets when the item expires included."""
    names = [f"{name}{number:03}" for number in range(terms - 1)]
    values = {f":{each}": {"N": "1"} for each in names} | {":expires": {"N": "7"}}
    expression = f"ADD {', '.join(f'{each} :{each}' for each in names)} SET expires = :expires"
    update = {"TableName": "counters", "Key": an_item(), "UpdateExpression": expression}
    return {"Update": update | {"ExpressionAttributeValues": values}}


def test_updates_are_limited_to_300_operators_and_4_kilobytes():
    assert outcome(transaction(update_of(300))) == "done"
    assert outcome(transaction(update_of(301))) == REFUSED
    assert outcome(transaction(update_of(200, "seven77"))) == REFUSED


def test_transactions_are_limited_to_4_megabytes():
    puts = [put(an_item_of(400 * KB, sort=str(number))) for number in range(10)]
    rest = 4 * MB - 10 * 400 * KB
    assert outcome(transaction(*puts, put(an_item_of(rest)))) == "done"
    assert outcome(transaction(*puts, put(an_item_of(rest + 1)))) == REFUSED


def test_batches_are_limited_to_25_items_each_named_once():
    items = [an_item(sort=str(number)) for number in range(25)]
    assert outcome(batch(*items)) == "done"
    assert outcome(batch(*items, an_item())) == REFUSED
    assert outcome(batch()) == REFUSED
    assert outcome(batch(an_item(), an_item(number=1))) == REFUSED


def test_batches_are_limited_to_16_megabytes_of_json():
    """A request is larger than the items that are stored: JSON writes a control character in six bytes."""

    def a_batch(padding: int) -> Call:
        items = [an_item(sort=str(number), text="\x01" * 390 * KB) for number in range(7)]
        return batch(*items, an_item(text="x" * padding))

    _, parameters = a_batch(0)
    padding = 16 * MB - len(json.dumps(parameters))
    assert outcome(a_batch(padding)) == "done"
    assert outcome(a_batch(padding + 1)) == REFUSED


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("é", 2),
        (True, 1),
        (7, 2),
        (12, 2),
        (123, 3),
        (1_200_000, 2),
        ([], 3),
        (["a", "b"], 7),
        ({}, 3),
        ({"key": "value"}, 12),
    ],
    ids=str,
)
def test_value_is_as_large_as_dynamodb_counts_it(value: Any, size: int):
    assert item_bytes(serialize({"name": value})) == len("name") + size
