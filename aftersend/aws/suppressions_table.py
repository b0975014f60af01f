"""The suppression list in DynamoDB: an entry per recipient and scope, each write conditional on the version read."""

from collections.abc import Iterator
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from aftersend.aws.clients import error_code
from aftersend.aws.items import item, plain
from aftersend.layout import PARTITION_KEY, SORT_KEY
from aftersend.recording import Conflict
from aftersend.suppression import EVERYWHERE, Entry

VERSION = "version"
IF_UNCHANGED = f"{VERSION} = :read"
IF_NEW = f"attribute_not_exists({PARTITION_KEY})"


class SuppressionsTable:
    """The table senders ask before they send."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def entry(self, recipient: str) -> Entry | None:
        """The recipient's entry as it is at this moment, in force or not."""
        answer = self._dynamodb.get_item(
            TableName=self._table,
            Key=item({PARTITION_KEY: recipient, SORT_KEY: EVERYWHERE}),
            ConsistentRead=True,
        )
        return msgspec.convert(plain(answer["Item"]), Entry) if "Item" in answer else None

    def replace(self, read: Entry | None, by: Entry) -> None:
        """Write an entry in the place of the one that was read.

        Raises:
            Conflict: if the entry is not the one that was read any more.
        """
        version = read.version if read else 0
        attributes = msgspec.to_builtins(msgspec.structs.replace(by, version=version + 1))
        condition: dict[str, Any] = {"ConditionExpression": IF_NEW}
        if read:
            condition = {
                "ConditionExpression": IF_UNCHANGED,
                "ExpressionAttributeValues": item({":read": version}),
            }
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=item({PARTITION_KEY: by.recipient, SORT_KEY: by.scope} | attributes),
                **condition,
            )
        except ClientError as error:
            if error_code(error) == "ConditionalCheckFailedException":
                raise Conflict from error
            raise

    def entries(self) -> Iterator[Entry]:
        """Every entry, in force or not, in no order."""
        for page in self._dynamodb.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True):
            yield from (msgspec.convert(plain(found), Entry) for found in page["Items"])
