"""Read and damage the suppression list of the environment "shop" of suppression_shop.py."""

from datetime import UTC, datetime
from typing import Any

from aftersend.aws.connection import find_deployment
from aftersend.aws.deployed_recorder import deployed_recorder
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.contract import PARTITION_KEY, SORT_KEY
from aftersend.events import REMOVED
from aftersend.suppression import Entry


def entries(dynamodb: Any) -> dict[tuple[str, str], Entry]:
    listed = SuppressionsTable(dynamodb, "suppressions").entries()
    return {(entry.recipient, entry.scope): entry for entry in listed}


def suppressed(dynamodb: Any) -> set[str]:
    """Return who is suppressed for all mail."""
    now = datetime.now(UTC)
    listed = entries(dynamodb).items()
    return {recipient for (recipient, scope), entry in listed if scope == "*" and entry.is_in_force(now)}


def delete_entry(dynamodb: Any, recipient: str, scope: str = "*") -> None:
    """Delete an entry by hand."""
    key = {PARTITION_KEY: {"S": recipient}, SORT_KEY: {"S": scope}}
    dynamodb.delete_item(TableName="suppressions", Key=key)


def remove(recipient: str) -> None:
    """Remove a recipient from the list as an operator does."""
    deployed_recorder(find_deployment("shop")).record_operator_act(REMOVED, recipient, "ops", "asked")
