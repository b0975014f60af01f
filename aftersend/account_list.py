"""Compare the suppression list with the account suppression list of SES, address by address. Pure.

SES adds addresses by itself after hard bounces and complaints, and keeps each spelling as an address of its own. It
knows no reasons but BOUNCE and COMPLAINT and no removals: which side is newer is decided from the recipient's events.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import Enum
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from aftersend.events import NOT_SPAM, ON_ACCOUNT_LIST, PUT_ON_ACCOUNT_LIST, BounceType, Event, Kind
from aftersend.suppression import EVERYWHERE, Entry, is_suppression_list_echo

UNDER_WAY = timedelta(hours=1)
"""Addresses that SES listed more recently are left to the next runs: the events they were listed for are still on their
way through the queues."""

CAUSE_PRECEDES = timedelta(days=2)
"""How long before an address was listed its cause may have happened. A bounce has the time of the receiving server, an
import job takes hours, and what it adds has the beginning of the day."""

CLOCK_DIFFERENCE = timedelta(minutes=5)
"""How much SES's clock may be behind."""

MESSAGE_ID = "account-list"
"""Of the events made here. The ids of SES's messages sort below it: where a recipient has more events than are read,
these are among those that are."""

DIGEST_BYTES = 8
"""Bytes by which an address is remembered: among a million, two are the same with a chance of one in 30 million."""


class Listed(msgspec.Struct, frozen=True):
    """One spelling of an address on the account list."""

    address: str
    reason: str
    """BOUNCE or COMPLAINT."""
    updated_at: datetime

    @property
    def recipient(self) -> str:
        return self.address.lower()


class Spelling(msgspec.Struct, frozen=True):
    """What the account list has about one spelling of an address."""

    address: str
    listed: Listed | None = None
    problem: str | None = None
    """Why SES could not be asked."""


class Addition(NamedTuple):
    """An address to put on the account list."""

    recipient: str
    address: str
    """As SES spelled it."""
    reason: str


class Verdict(Enum):
    """Say what to do about a listed address."""

    KEEP = "keep"  # both lists agree, or the difference is intended
    REMOVE = "remove"  # it was removed here after what it was listed for
    TAKE_OVER = "take over"  # it was listed for something unknown here
    UNDECIDED = "undecided"  # the recipient's events decide


def compare(listed: Listed, entry: Entry | None, now: datetime) -> Verdict:
    """Compare a listed address with the recipient's entry for all mail, as far as that is possible without events."""
    if entry and _is_lasting(entry, now):
        return Verdict.KEEP
    if (lifted_at := _lifted_at(entry)) and lifted_at > listed.updated_at:
        return Verdict.REMOVE
    return Verdict.KEEP if listed.updated_at > now - UNDER_WAY else Verdict.UNDECIDED


def compare_events(listed: Listed, entry: Entry | None, events: Iterable[Event]) -> Verdict:
    """Compare a listed address that is undecided, given the recipient's events.

    An event that explains why the address is listed has been decided about already, whatever the policy made of it.
    Echoes of the list explain nothing.
    """
    causes = [event.occurred_at for event in events if event.occurred_at and _explains(event, listed)]
    if not causes:
        return Verdict.TAKE_OVER
    lifted_at = _lifted_at(entry)
    return Verdict.REMOVE if lifted_at and max(causes) <= lifted_at else Verdict.KEEP


def event_of(listed: Listed) -> Event:
    """Return the event by which a listed address is taken over. It is the same in every run."""
    return Event(
        kind=ON_ACCOUNT_LIST,
        message_id=MESSAGE_ID,
        recipient=listed.recipient,
        recipient_raw=listed.address if listed.address != listed.recipient else None,
        occurred_at=listed.updated_at,
        list_reason=listed.reason,
    )


def addition(entry: Entry, now: datetime) -> Addition | None:
    """Return what to put on the account list for an entry; None if it does not belong there.

    An operator's entry is listed as a bounce. Sending to an address that is listed as a complaint makes SES publish a
    complaint, which other consumers would count; and SES may drop such an address after a not-spam report.
    """
    if entry.scope != EVERYWHERE or not _is_lasting(entry, now):
        return None
    reason = "COMPLAINT" if entry.reason == "complaint" else "BOUNCE"
    return Addition(entry.recipient, entry.recipient_raw or entry.recipient, reason)


def event_before(added: Addition, now: datetime) -> Event:
    """Return the event to record before an address is put on the list, so that no run takes it for news from SES.

    It has the beginning of the day, so that an address that SES refuses in each run is one event a day.
    """
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return Event(
        kind=PUT_ON_ACCOUNT_LIST,
        message_id=MESSAGE_ID,
        recipient=added.recipient,
        occurred_at=today,
        list_reason=added.reason,
    )


class Digests:
    """Remember addresses by their digests, a million in a few dozen megabytes."""

    def __init__(self, encoded: str = "") -> None:
        content = b64decode(encoded)
        starts = range(0, len(content), DIGEST_BYTES)
        self._digests = {content[start : start + DIGEST_BYTES] for start in starts}

    def add(self, recipient: str) -> None:
        self._digests.add(_digest(recipient))

    def count_missing_in(self, others: "Digests") -> int:
        """Return how many addresses the others lack."""
        return len(self._digests - others._digests)

    def __contains__(self, recipient: str) -> bool:
        return _digest(recipient) in self._digests

    def encode(self) -> str:
        """Return a text from which the same digests can be made."""
        return b64encode(b"".join(sorted(self._digests))).decode()


class Progress(msgspec.Struct, omit_defaults=True):
    """How far the account list was read, for the run that continues."""

    next_token: str | None = None
    """Where to continue; None at the beginning, and when all was read."""
    is_read: bool = False
    """Whether all was read."""
    listed: str = ""
    """The addresses that were read, as Digests encodes them."""
    import_job: str = ""
    """The import job that was started last, if it may still run."""


def _is_lasting(entry: Entry, now: datetime) -> bool:
    return entry.until is None and entry.is_in_force(now)


def _lifted_at(entry: Entry | None) -> datetime | None:
    """Return when an entry was removed: neither the end of a temporary one, nor that of one in force."""
    return entry.until if entry and entry.lifted_by else None


def _explains(event: Event, listed: Listed) -> bool:
    assert event.occurred_at is not None, "events without a time explain nothing"
    if event.kind == ON_ACCOUNT_LIST:
        return event.occurred_at == listed.updated_at
    if not -CLOCK_DIFFERENCE <= listed.updated_at - event.occurred_at <= CAUSE_PRECEDES:
        return False
    if event.kind == Kind.BOUNCE:
        return event.bounce_type == BounceType.PERMANENT and not is_suppression_list_echo(event)
    if event.kind == Kind.COMPLAINT:
        return event.feedback_type != NOT_SPAM and not is_suppression_list_echo(event)
    return event.kind == PUT_ON_ACCOUNT_LIST


def _digest(recipient: str) -> bytes:
    return blake2b(recipient.encode(), digest_size=DIGEST_BYTES).digest()
