"""Make the same calls to the model and to others that implement DynamoDB, and write down the answers."""

import random
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from aftersend.aws.feedback_indexes import BY_DAY
from aftersend.aws.ledger_table import IF_RANKS_HIGHER
from aftersend.aws.serialization import serialize
from aftersend.contract import FEEDBACK_BY_DAY, FEEDBACK_BY_MESSAGE, PARTITION_KEY, SORT_KEY

Transcript = list[Any]
Call = tuple[str, dict[str, Any]]
"""An operation of the boto3 client, and its parameters."""

WRITES_PER_TRANSCRIPT = 120


def transcript(dynamodb: Any, table: str, *, seed: int, batches_over_25: bool = True) -> Transcript:
    """Return a table's answers to random writes, and the items that queries return in the end."""
    rng = random.Random(seed)
    calls = [rng.choice(_WRITES)(table, rng) for _ in range(WRITES_PER_TRANSCRIPT)]
    calls += [_put_feedback(table, number, rng) for number in rng.sample(range(30), 30)]
    if batches_over_25:
        calls.append(_batch(table, [{"partition_key": "c", "sort_key": str(number)} for number in range(26)]))
    answers = [_answer(dynamodb, *call) for call in calls]
    prefixes = ("feedback#", "volume#", "")
    queries = [_query(dynamodb, table, prefix, forward) for prefix in prefixes for forward in (True, False)]
    one = _query(dynamodb, table, "feedback#1", True, " AND sort_key = :prefix")
    return [*answers, *queries, one, *_index_queries(dynamodb, table), _filtered(dynamodb, table)]


def _answer(dynamodb: Any, operation: str, parameters: dict[str, Any]) -> tuple[Any, ...]:
    try:
        getattr(dynamodb, operation)(**parameters)
    except ClientError as error:
        reasons = [reason["Code"] for reason in error.response.get("CancellationReasons", ())]
        return operation, error.response["Error"]["Code"], reasons
    return operation, "done"


def _query(
    dynamodb: Any, table: str, prefix: str, forward: bool, condition: str = " AND begins_with(sort_key, :prefix)"
) -> list[Any]:
    values = serialize({":partition": "a", ":prefix": prefix}) if prefix else serialize({":partition": "a"})
    condition = f"partition_key = :partition{condition if prefix else ''}"
    options = {"ConsistentRead": True, "ScanIndexForward": forward, "KeyConditionExpression": condition}
    return _items(dynamodb, "query", table, options, values)


def _index_queries(dynamodb: Any, table: str) -> list[list[Any]]:
    """Return the feedback about a message, and that of a day: all, within a time, and with a tag."""
    message, day = serialize({":message": "m1"}), serialize({":day": "d1", ":first": "0.2", ":end": "0.7"})
    of_message = {"IndexName": FEEDBACK_BY_MESSAGE, "KeyConditionExpression": "message_id = :message"}
    of_day = {"IndexName": FEEDBACK_BY_DAY, "KeyConditionExpression": BY_DAY}
    with_tag = {"FilterExpression": "contains(tags.#tag, :value)", "ExpressionAttributeNames": {"#tag": "campaign"}}
    tagged = of_day | with_tag | {"ScanIndexForward": False}
    return [
        # By message, all of one day: DynamoDB leaves their order open.
        sorted(_items(dynamodb, "query", table, of_message, message), key=str),
        _items(dynamodb, "query", table, of_day, day),
        *(_items(dynamodb, "query", table, tagged, day | serialize({":value": each})) for each in ("spring", "pri")),
    ]


def _filtered(dynamodb: Any, table: str) -> list[Any]:
    """Return the keys of a group, in no order: a scan has none."""
    options = {"FilterExpression": "begins_with(sort_key, :group)", "ProjectionExpression": "partition_key, sort_key"}
    return sorted(_items(dynamodb, "scan", table, options, serialize({":group": "feedback#"})), key=str)


def _items(dynamodb: Any, operation: str, table: str, options: dict[str, Any], values: dict[str, Any]) -> list[Any]:
    pages = dynamodb.get_paginator(operation).paginate(TableName=table, ExpressionAttributeValues=values, **options)
    return [item for page in pages for item in page["Items"]]


def table_definition(name: str, indexes: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """Return the parameters that create a table as the stacks do, as far as calls depend on it."""
    names = {PARTITION_KEY, SORT_KEY}.union(*indexes.values())
    described = [
        {"IndexName": index, "KeySchema": _key_schema(*keys), "Projection": {"ProjectionType": "ALL"}}
        for index, keys in indexes.items()
    ]
    return {
        "TableName": name,
        "KeySchema": _key_schema(PARTITION_KEY, SORT_KEY),
        "AttributeDefinitions": [{"AttributeName": each, "AttributeType": "S"} for each in names],
        "BillingMode": "PAY_PER_REQUEST",
        **({"GlobalSecondaryIndexes": described} if described else {}),
    }


def _key_schema(partition: str, sort: str) -> list[dict[str, str]]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]


def _key(rng: random.Random) -> dict[str, str]:
    partition, group = rng.choice(["a", "b"]), rng.choice(["feedback", "volume"])
    return {"partition_key": partition, "sort_key": f"{group}#{rng.randrange(4)}"}


def _put(table: str, item: dict[str, Any], condition: str, **values: Any) -> Call:
    put = {"TableName": table, "Item": serialize(item), "ConditionExpression": condition}
    if values:
        put["ExpressionAttributeValues"] = serialize({f":{name}": value for name, value in values.items()})
    return "put_item", put


def _put_if_new(table: str, rng: random.Random) -> Call:
    item = _key(rng) | {"version": 1, "list": [{"nested": True}]}
    return _put(table, item, "attribute_not_exists(partition_key)")


def _put_if_rank_is_higher(table: str, rng: random.Random) -> Call:
    rank = str(rng.randrange(10))
    return _put(table, _key(rng) | {"copy_rank": rank}, IF_RANKS_HIGHER, rank=rank)


def _put_if_version_matches(table: str, rng: random.Random) -> Call:
    version = rng.randrange(3)
    return _put(table, _key(rng) | {"version": version + 1}, "version = :expected", expected=version)


def _put_if_state_matches(table: str, rng: random.Random) -> Call:
    """Write what the guard writes; `state` is a reserved word."""
    state = rng.randrange(3)
    condition = "attribute_not_exists(partition_key) OR #state = :expected"
    operation, put = _put(table, _key(rng) | {"state": str(state + 1)}, condition, expected=str(state))
    return operation, put | {"ExpressionAttributeNames": {"#state": "state"}}


def _put_feedback(table: str, number: int, rng: random.Random) -> Call:
    """Write what both indexes have; some has no tags."""
    attributes = {"message_id": f"m{rng.randrange(2)}", "feedback_day": f"d{rng.randrange(2)}"}
    tags = rng.choice([{}, {"tags": {"campaign": rng.choice(["spring", ["spring", "sale"], ["sale"]])}}])
    key = {"partition_key": rng.choice("ab"), "sort_key": f"feedback#{number}"}
    return "put_item", {"TableName": table, "Item": serialize(key | attributes | tags | {"sent_at": f"{number / 30}"})}


def _batch(table: str, items: list[dict[str, Any]]) -> Call:
    return "batch_write_item", {"RequestItems": {table: [{"PutRequest": {"Item": serialize(each)}} for each in items]}}


def _small_batch(table: str, rng: random.Random) -> Call:
    number = rng.randrange(1000)  # the same in all items, for moto recognizes none but equal items as duplicates
    return _batch(table, [_key(rng) | {"number": number} for _ in range(rng.randint(1, 3))])


def _delete(table: str, rng: random.Random) -> Call:
    return "delete_item", {"TableName": table, "Key": serialize(_key(rng))}


def _commit(table: str, rng: random.Random) -> Call:
    """Write what count_tags writes: a checkpoint on condition, and additions to an item."""
    expected = rng.randrange(3)
    item = {"partition_key": "checkpoint", "sort_key": str(rng.randrange(2)), "checkpoint": str(expected + 1)}
    if expected:
        _, put = _put(table, item, "checkpoint = :expected", expected=str(expected))
    else:
        _, put = _put(table, item, "attribute_not_exists(partition_key)")
    update = {
        "TableName": table,
        "Key": serialize(_key(rng)),
        "UpdateExpression": "ADD o09 :o09, s23 :s23 SET expires = :expires",
        "ExpressionAttributeValues": serialize({":o09": 2, ":s23": -1, ":expires": 7}),
    }
    return "transact_write_items", {"TransactItems": [{"Put": put}, {"Update": update}]}


_WRITES: list[Callable[[str, random.Random], Call]] = [
    _put_if_new,
    _put_if_rank_is_higher,
    _put_if_version_matches,
    _put_if_state_matches,
    _small_batch,
    _delete,
    _commit,
]
