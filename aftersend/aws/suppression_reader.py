"""Read from the suppressions table why recipients may not be sent to: many at once, in the scopes of one message."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import msgspec

from aftersend.aws.attempts import attempts
from aftersend.aws.serialization import Item, deserialize, serialize
from aftersend.contract import FORGOTTEN, PARTITION_KEY, SORT_KEY
from aftersend.ledger import NewerSchema
from aftersend.recipient_hash import keyed_hash
from aftersend.suppression import EVERYWHERE, entry_from_attributes

MAX_BATCH_KEYS = 100
"""Keys of one BatchGetItem ("BatchGetItem", Amazon DynamoDB API Reference)."""

BATCH_ATTEMPTS = 8
"""How often keys are requested that DynamoDB leaves unprocessed; the pauses in between last six seconds on average."""

ATTRIBUTES = (PARTITION_KEY, SORT_KEY, "recipient", "scope", "reason", "rule", "since", "until", "lifted_by", "schema")
"""What is read of an item: all but its evidence."""

Key = tuple[str, str]


class Suppression(msgspec.Struct, frozen=True):
    """Say why an address may not be sent to. Of several entries in force, the one with the widest scope is named."""

    reason: str
    """operator, bounce, complaint, subscription or forgotten."""
    rule: str
    scope: str
    since: datetime | None = None
    until: datetime | None = None
    """When it ends by itself; None if it stays until it is lifted."""


Suppressions = dict[str, Suppression | None]
"""Recipient → why it is suppressed, or None. Nothing is known about recipients that are left out."""


class KeysUnprocessed(Exception):
    """DynamoDB left keys unprocessed at every attempt: the table is throttled. What is known is in `suppressions`."""

    def __init__(self, suppressions: Suppressions) -> None:
        super().__init__("DynamoDB left keys unprocessed at every attempt.")
        self.suppressions = suppressions


class SuppressionReader:
    """Read why recipients are suppressed in some scopes, the widest of which comes first."""

    def __init__(
        self,
        *,
        client: Any,
        table: str,
        scopes: list[str],
        hash_key: Callable[[], str] | None,
        consistent: bool,
        now: datetime,
    ) -> None:
        self._client, self._table, self._scopes, self._hash_key = client, table, scopes, hash_key
        self._consistent, self._now = consistent, now
        self.max_recipients = MAX_BATCH_KEYS // (len(scopes) + (hash_key is not None))

    def read(self, recipients: set[str]) -> Suppressions:
        """Return why each recipient is suppressed. Those with an unreadable item are left out.

        Raises:
            KeysUnprocessed: if the table is throttled.
        """
        keys = self._keys(recipients)
        items, unprocessed = self._items(keys) if keys else ({}, set())
        suppressions: Suppressions = dict.fromkeys(recipients)
        unknown = {keys[key] for key in unprocessed}
        for key, recipient in keys.items():
            if key in items and suppressions[recipient] is None:
                try:
                    suppressions[recipient] = _suppression(items[key], self._now)
                except (msgspec.ValidationError, NewerSchema, TypeError):  # the last: a time without zone
                    unknown.add(recipient)
        known = {recipient: each for recipient, each in suppressions.items() if each or recipient not in unknown}
        if unprocessed:
            raise KeysUnprocessed(known)
        return known

    def _keys(self, recipients: set[str]) -> dict[Key, str]:
        """Return the keys of the items that may suppress recipients, those with the widest scope first."""
        keys = {(recipient, scope): recipient for scope in self._scopes for recipient in recipients}
        if self._hash_key and recipients:
            hash_key = self._hash_key()
            keys |= {(FORGOTTEN, keyed_hash(recipient, hash_key)): recipient for recipient in recipients}
        return keys

    def _items(self, keys: Iterable[Key]) -> tuple[dict[Key, Item], set[Key]]:
        """Return the items that exist by key, and the keys that DynamoDB left unprocessed at every attempt."""
        request: dict[str, Any] = {
            "Keys": [serialize({PARTITION_KEY: partition, SORT_KEY: sort}) for partition, sort in keys],
            "ProjectionExpression": ", ".join(f"#{name}" for name in ATTRIBUTES),
            "ExpressionAttributeNames": {f"#{name}": name for name in ATTRIBUTES},  # some are reserved words
            "ConsistentRead": self._consistent,
        }
        items: dict[Key, Item] = {}
        for _ in attempts(BATCH_ATTEMPTS):
            response = self._client.batch_get_item(RequestItems={self._table: request})
            items |= {_key(item): item for page in response["Responses"].values() for item in page}
            unprocessed = response.get("UnprocessedKeys")
            if not unprocessed:
                return items, set()
            [request] = unprocessed.values()
        return items, {_key(key) for key in request["Keys"]}


def _key(item: Item) -> Key:
    return item[PARTITION_KEY]["S"], item[SORT_KEY]["S"]


def _suppression(item: Item, now: datetime) -> Suppression | None:
    """Return what an item says, None if it is not in force."""
    if item[PARTITION_KEY]["S"] == FORGOTTEN:
        return Suppression(FORGOTTEN, FORGOTTEN, EVERYWHERE)
    entry = entry_from_attributes(deserialize(item))
    if not entry.is_in_force(now):
        return None
    return Suppression(entry.reason, entry.rule, entry.scope, entry.since, entry.until)
