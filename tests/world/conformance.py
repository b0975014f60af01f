"""The same calls to the model and to others that speak for DynamoDB, and what each answers."""

import random
from typing import Any

from botocore.exceptions import ClientError

from aftersend.aws.ledger_table import IF_RANKS_HIGHER
from aftersend.aws.serialization import serialize

Transcript = list[Any]


def transcript(dynamodb: Any, table: str, *, seed: int, batches_over_25: bool = True) -> Transcript:
    """What a table says to conditions, batches, transactions and queries, and what is in it in the end."""
    draw = random.Random(seed)
    said: Transcript = []

    def call(operation: str, **parameters: Any) -> None:
        try:
            getattr(dynamodb, operation)(**parameters)
            said.append((operation, "done"))
        except ClientError as error:
            reasons = [reason["Code"] for reason in error.response.get("CancellationReasons", ())]
            said.append((operation, error.response["Error"]["Code"], reasons))

    def a_key() -> dict[str, str]:
        return {
            "partition_key": draw.choice(["a", "b"]),
            "sort_key": f"{draw.choice(['feedback', 'volume'])}#{draw.randrange(4)}",
        }

    for number in range(120):
        key, rank, version = a_key(), str(draw.randrange(10)), draw.randrange(3)
        better = serialize({":rank": rank})
        match draw.randrange(6):
            case 0:
                call(
                    "put_item",
                    TableName=table,
                    Item=serialize(key | {"copy_rank": rank}),
                    ConditionExpression=IF_RANKS_HIGHER,
                    ExpressionAttributeValues=better,
                )
            case 1:
                call(
                    "put_item",
                    TableName=table,
                    Item=serialize(key | {"version": version + 1}),
                    ConditionExpression="version = :read",
                    ExpressionAttributeValues=serialize({":read": version}),
                )
            case 2:
                call(
                    "put_item",
                    TableName=table,
                    Item=serialize(key | {"version": 1, "list": [{"nested": True}]}),
                    ConditionExpression="attribute_not_exists(partition_key)",
                )
            case 3:
                keys = [a_key() for _ in range(draw.randint(1, 3))]
                puts = [{"PutRequest": {"Item": serialize(each | {"number": number})}} for each in keys]
                call("batch_write_item", RequestItems={table: puts})
            case 4:
                other = {"partition_key": "position", "sort_key": str(draw.randrange(2))}
                call("transact_write_items", TransactItems=_a_commit(table, key, other, str(version)))
            case 5:
                call("delete_item", TableName=table, Key=serialize(key))
    if batches_over_25:
        many = [{"PutRequest": {"Item": serialize({"partition_key": "c", "sort_key": str(n)})}} for n in range(26)]
        call("batch_write_item", RequestItems={table: many})
    for prefix in ("feedback#", "volume#", ""):
        values = serialize({":partition": "a", ":prefix": prefix}) if prefix else serialize({":partition": "a"})
        begins = " AND begins_with(sort_key, :prefix)" if prefix else ""
        pages = dynamodb.get_paginator("query").paginate(
            TableName=table,
            ConsistentRead=True,
            KeyConditionExpression=f"partition_key = :partition{begins}",
            ExpressionAttributeValues=values,
        )
        said.append([found for page in pages for found in page["Items"]])
    return said


def _a_commit(table: str, row: dict[str, str], position: dict[str, str], read: str) -> list[dict[str, Any]]:
    """As the counters are moved: a position on condition, and additions to a row."""
    put = {
        "TableName": table,
        "Item": serialize(position | {"checkpoint": str(int(read) + 1)}),
        "ConditionExpression": "attribute_not_exists(partition_key)" if read == "0" else "counted_up_to = :read",
    }
    if read != "0":
        put["ExpressionAttributeValues"] = serialize({":read": read})
    update = {
        "TableName": table,
        "Key": serialize(row),
        "UpdateExpression": "ADD #open :open, #send :send SET expires = :expires",
        "ExpressionAttributeNames": {"#open": "open", "#send": "send"},
        "ExpressionAttributeValues": serialize({":open": 2, ":send": -1, ":expires": 7}),
    }
    return [{"Put": put}, {"Update": update}]
