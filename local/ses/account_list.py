"""Keep the account suppression list of the simulated SES: its addresses, its settings and its import jobs.

Source: "Using the Amazon SES account-level suppression list" in the SES developer guide.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from local.ses.addresses import address_of
from local.ses.responses import RequestError

REASONS = ("BOUNCE", "COMPLAINT")
HARD_BOUNCES = ("General", "NoEmail", "Suppressed")
"""Subtypes of Permanent bounces that SES adds addresses for; in the others it attempted no delivery."""

MAILBOX_SIMULATOR = "@simulator.amazonses.com"
MAX_ADDED, MAX_DELETED = 100_000, 10_000
"""Addresses in one object of an import job."""

DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE = 100, 1_000
MIN_SECONDS_BETWEEN_CALLS = 1.0


@dataclass(frozen=True)
class ListedAddress:
    """One spelling of an address on the list."""

    address: str
    reason: str
    updated_at: datetime
    message_id: str | None = None
    feedback_id: str | None = None


@dataclass
class AccountList:
    """The list. It keeps each spelling of an address as one of its own; sending ignores case."""

    suppressed_reasons: set[str] = field(default_factory=lambda: {*REASONS})
    """Reasons for which the account adds addresses and refuses to send; new accounts have both."""
    in_sandbox: bool = False
    """Whether SES refuses to change the list, as it does in the sandbox."""
    is_throttled: bool = False
    """Whether SES refuses more than one call of each operation a second. Off, so that tests are quick."""
    denied: set[str] = field(default_factory=set)
    """Operations that the caller has no permission for."""
    addresses: dict[str, ListedAddress] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Import jobs by ID, as GetImportJob returns them."""
    calls: list[str] = field(default_factory=list)
    """Every operation that was called."""
    clock: Callable[[], float] = time.monotonic
    _last_calls: dict[str, float] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def begin_call(self, operation: str, *, writes: bool) -> None:
        """Check whether SES performs a call.

        Raises:
            RequestError: if it comes too soon after the last one, is not permitted, or changes the list in the sandbox.
        """
        with self._lock:
            self.calls.append(operation)
            last, now = self._last_calls.get(operation), self.clock()
            if self.is_throttled and last is not None and now - last < MIN_SECONDS_BETWEEN_CALLS:
                raise RequestError("TooManyRequestsException", "Maximum sending rate exceeded.")
            self._last_calls[operation] = now
        if operation in self.denied:
            raise RequestError("AccessDeniedException", f"User is not authorized to perform: ses:{operation}")
        if writes and self.in_sandbox:
            raise RequestError("BadRequestException", "The account is in the sandbox.")

    def put(self, address: str, reason: str, *, at: datetime | None = None, **cause: str | None) -> None:
        """Add an address, or replace its reason and time."""
        if reason not in REASONS or "@" not in address:
            raise RequestError("BadRequestException", "The address or the reason is not valid.")
        with self._lock:
            self.addresses[address] = ListedAddress(address, reason, at or datetime.now(UTC), **cause)

    def get(self, address: str) -> ListedAddress:
        """Return a spelling of an address.

        Raises:
            RequestError: if the list does not have exactly this spelling.
        """
        with self._lock:
            if address not in self.addresses:
                raise RequestError("NotFoundException", f"Email address {address} does not exist on your list.")
            return self.addresses[address]

    def delete(self, address: str) -> None:
        with self._lock:
            self.get(address)
            del self.addresses[address]

    def page(
        self,
        *,
        reasons: Iterable[str] = (),
        start: datetime | None = None,
        end: datetime | None = None,
        token: str | None = None,
        size: int = DEFAULT_PAGE_SIZE,
    ) -> tuple[list[ListedAddress], str | None]:
        """Return a page of the list, newest first, and the token of the next one."""
        if not 1 <= size <= MAX_PAGE_SIZE:
            raise RequestError("BadRequestException", f"PageSize must be between 1 and {MAX_PAGE_SIZE}.")
        if token is not None and not token.isdecimal():
            raise RequestError("InvalidNextTokenException", "The next token is not valid.")
        wanted = {*reasons} or {*REASONS}
        with self._lock:
            listed = [
                entry
                for entry in self.addresses.values()
                if entry.reason in wanted
                and (start is None or entry.updated_at >= start)
                and (end is None or entry.updated_at < end)
            ]
        listed.sort(key=lambda entry: (entry.updated_at, entry.address), reverse=True)
        first = int(token or 0)
        return listed[first : first + size], str(first + size) if first + size < len(listed) else None

    def learn(self, event: dict[str, Any], recipients: Iterable[str], at: datetime, message_id: str) -> None:
        """Add the recipients of a hard bounce or a complaint, as SES does by itself."""
        reason = _reason(event)
        if reason in self.suppressed_reasons:
            for recipient in recipients:
                address = address_of(recipient)
                if not address.lower().endswith(MAILBOX_SIMULATOR):
                    # Nothing is listed later than now, though the simulated mail may bounce later.
                    moment = min(at, datetime.now(UTC))
                    self.put(address, reason, at=moment, message_id=message_id, feedback_id=event.get("feedbackId"))

    def suppressing_reason(self, recipient: str) -> str | None:
        """Return the reason for which SES sends nothing to a recipient; None if it sends."""
        address = address_of(recipient).lower()
        with self._lock:
            reasons = {entry.reason for spelling, entry in self.addresses.items() if spelling.lower() == address}
        return next(iter(sorted(reasons & self.suppressed_reasons)), None)

    def run_import(self, action: str, rows: list[dict[str, str]]) -> tuple[int, int]:
        """Add or delete all addresses of an object; return how many were processed and how many of them failed."""
        if len(rows) > (MAX_ADDED if action == "PUT" else MAX_DELETED):
            raise RequestError("BadRequestException", "The object has too many addresses.")
        failed = 0
        for row in rows:
            try:
                if action == "PUT":
                    self.put(row["emailAddress"], row["reason"])
                else:
                    self.delete(row["emailAddress"])
            except RequestError:
                failed += 1
        return len(rows), failed


def _reason(event: dict[str, Any]) -> str | None:
    """Return the reason for which SES adds the recipients of an event; None if it does not."""
    if event["event"] == "Bounce" and event.get("bounceType") == "Permanent":
        return "BOUNCE" if event.get("bounceSubType") in HARD_BOUNCES else None
    is_complaint = event["event"] == "Complaint" and not event.get("complaintSubType")
    return "COMPLAINT" if is_complaint and event.get("complaintFeedbackType") != "not-spam" else None
