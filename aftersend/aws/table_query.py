"""Query a table page by page."""

from collections.abc import Iterator
from typing import Any

from aftersend.aws.serialization import Item, serialize


def query_items(dynamodb: Any, table: str, condition: str, values: dict[str, str], **options: Any) -> Iterator[Item]:
    """Yield the items that a key condition selects, given its values by their names (`:name`)."""
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table, KeyConditionExpression=condition, ExpressionAttributeValues=serialize(values), **options
    )
    return (item for page in pages for item in page["Items"])
