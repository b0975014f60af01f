"""Erase what the tables hold about a recipient. Counters name nobody, and stay; the archive bucket erases by rules."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from aftersend.aws.clients import error_code
from aftersend.aws.serialization import Item, deserialize
from aftersend.aws.table_query import query_items
from aftersend.contract import PARTITION_KEY, SORT_KEY


class Erased(NamedTuple):
    """Count the items that were erased."""

    events: int
    entries: int


class Erasure:
    """Find and erase a recipient's events and entries. Items are not decoded: unreadable ones are erased as well.

    Erase after the recipient's tombstone was written and every function that may not have read it has ended. Such a
    function could write an event that was counted and erased already, which would count again.
    """

    def __init__(self, dynamodb: Any, ledger_table: str, suppressions_table: str) -> None:
        self._dynamodb, self._ledger_table, self._suppressions_table = dynamodb, ledger_table, suppressions_table

    def spellings(self, recipient: str) -> set[str]:
        """Return the recipient and every other spelling of the address that an event or entry has."""
        items = (*self._items(self._ledger_table, recipient), *self._items(self._suppressions_table, recipient))
        attributes = [deserialize(item) for item in items]
        evidence = [event for each in attributes for event in each.get("evidence", ())]
        return {recipient, *(each["recipient_raw"] for each in (*attributes, *evidence) if "recipient_raw" in each)}

    def erase(self, recipient: str) -> Erased:
        """Erase events, then entries: of a deleted entry alone, the events would lead to a new one."""
        return Erased(*(self._erase(table, recipient) for table in (self._ledger_table, self._suppressions_table)))

    def _erase(self, table: str, recipient: str) -> int:
        keys = [{name: item[name] for name in (PARTITION_KEY, SORT_KEY)} for item in self._items(table, recipient)]
        for key in keys:
            self._dynamodb.delete_item(TableName=table, Key=key)
        return len(keys)

    def _items(self, table: str, recipient: str) -> Iterator[Item]:
        condition, values = f"{PARTITION_KEY} = :recipient", {":recipient": recipient}
        return query_items(self._dynamodb, table, condition, values, ConsistentRead=True)


def days_until_removed(s3: Any, bucket: str) -> dict[str, int]:
    """Return the days after which an object's last version is removed, by prefix; none for those that stay."""
    try:
        rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    except ClientError as error:
        if error_code(error) != "NoSuchLifecycleConfiguration":
            raise
        return {}
    return {
        rule.get("Filter", rule).get("Prefix", ""): rule["Expiration"]["Days"]
        + rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays", 0)
        for rule in rules
        if rule["Status"] == "Enabled" and "Days" in rule.get("Expiration", {})
    }
