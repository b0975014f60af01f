"""Describe a change of a suppression entry to those who subscribe to changes. Pure."""

from datetime import datetime

import msgspec

from aftersend.events import ADDED, ON_ACCOUNT_LIST, REMOVED
from aftersend.suppression.entry import Entry
from aftersend.suppression.rules import EARLIEST, Policy, rule_for

SUPPRESSED, LIFTED = "Recipient Suppressed", "Suppression Lifted"
"""Detail types of the events on the event bus."""

WITHOUT_MESSAGE = (ADDED, REMOVED, ON_ACCOUNT_LIST)
"""Kinds of events whose message id is Aftersend's own, and names no message."""


class ChangeDetail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Hold what subscribers learn about an entry that came into force, changed in force, or was lifted."""

    id: str
    """Equal in every copy of the same change: made of the recipient's hash, version and scope."""
    environment: str
    scope: str
    version: int
    """How many times the entry was written: of two changes of one recipient and scope, the higher one is the later."""
    reason: str
    rule: str
    since: datetime | None = None
    until: datetime | None = None
    lifted_by: str | None = None
    message_id: str | None = None
    """The newest message that suppressed the recipient or, for LIFTED, lifted the entry."""
    recipient_hash: str
    recipient: str | None = None
    """The address; None unless the environment publishes addresses."""


def detail_type(old: Entry | None, new: Entry) -> str | None:
    """Return the detail type of a change; None if subscribers need not know of it.

    A temporary entry is in force until a later write says that it ended: subscribers know its end from `until`.
    """
    was_in_force = old is not None and old.lifted_by is None
    if new.lifted_by is not None:
        return LIFTED if was_in_force else None
    is_known = was_in_force and _essence(old) == _essence(new)
    return None if is_known else SUPPRESSED


def _essence(entry: Entry) -> tuple[str, str, datetime | None]:
    return entry.rule, entry.reason, entry.until


def change_detail(
    entry: Entry, *, environment: str, recipient_hash: str, policy: Policy, include_address: bool
) -> ChangeDetail:
    """Describe an entry as it stands after a change."""
    return ChangeDetail(
        id=f"{recipient_hash}:{entry.version}:{entry.scope}",
        environment=environment,
        scope=entry.scope,
        version=entry.version,
        reason=entry.reason,
        rule=entry.rule,
        since=entry.since,
        until=entry.until,
        lifted_by=entry.lifted_by,
        message_id=_message_id(entry, policy),
        recipient_hash=recipient_hash,
        recipient=entry.recipient if include_address else None,
    )


def _message_id(entry: Entry, policy: Policy) -> str | None:
    """Return the message of the newest event in the evidence that the rule in question matches."""
    rule = entry.lifted_by or entry.rule
    causes = [event for event in entry.evidence if rule_for(event, policy).id == rule]
    newest = max(causes, key=lambda event: event.occurred_at or EARLIEST, default=None)
    return newest.message_id if newest and newest.kind not in WITHOUT_MESSAGE else None
