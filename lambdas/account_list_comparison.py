"""Compare the suppression list with the account suppression list of SES and apply the difference.

What SES has listed for reasons unknown here is taken over as events. Where the environment asks for it, removals are
repeated at SES, and lasting entries that are missing there are added.

It is safe to stop anywhere and to run twice at once: what is taken over is the same event in every run, an address is
put on the list after the ledger says so, and every other call may be repeated. A run that is out of time stores how far
it has read; differences that it has not applied are met again by the next comparison. No address is logged.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from aftersend.account_list import (
    Addition,
    Digests,
    Listed,
    Progress,
    Verdict,
    addition,
    compare,
    compare_events,
    event_before,
    event_of,
)
from aftersend.aws.account_list import (
    MAX_IMPORT_ADDITIONS,
    MAX_IMPORT_REMOVALS,
    AccountList,
    AccountListFiles,
    StaleToken,
)
from aftersend.aws.clients import error_code
from aftersend.aws.ledger_table import Throttled
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.recorder import Incomplete, Recorder, Refused
from lambdas.dependencies import logger

MAX_SINGLE_CALLS = 1_000
"""Above so many changes an import job makes them: one by one, they would take longer than an invocation may."""

RESERVED_TO_CHANGE, RESERVED_TO_END = 300_000, 30_000
"""Milliseconds left of an invocation when reading ends, so that changes follow, and when changes end."""

REFUSED = "BadRequestException"
"""SES's error about an address that it does not accept."""

FAILURES = (ClientError, BotoCoreError, Throttled, Refused, Incomplete)
"""Errors that concern one address."""


class Report(msgspec.Struct):
    """Count what a run did; with the prefix `account_list_`, those of ACCOUNT_LIST_METRICS are metrics."""

    runs: int = 1
    unavailable: int = 0
    missing: int = 0
    """Lasting entries that the account list lacks."""
    surplus: int = 0
    """Addresses that the account list still has after they were removed here."""
    taken_over: int = 0
    added: int = 0
    removed: int = 0
    refused: int = 0
    """Addresses that SES does not accept: repeating changes nothing."""
    drift: int = 0
    """Differences that this run should have ended, and has not."""


class Comparison:
    """One run: read the account list page by page, then remove, then add."""

    def __init__(
        self,
        account_list: AccountList,
        files: AccountListFiles,
        suppressions: SuppressionsTable,
        recorder: Recorder,
        now: datetime,
        has_time: Callable[[int], bool],
    ) -> None:
        self._account_list, self._files, self._suppressions = account_list, files, suppressions
        self._recorder, self._now, self._has_time = recorder, now, has_time
        self._progress, self._listed, self._lasting = Progress(), Digests(), Digests()
        self._removals: list[Listed] = []
        self._not_taken_over = self._refused = 0
        self.report = Report()

    def run(self) -> None:
        """Make the comparison, as far as there is time, and store how far it came."""
        self._progress = self._files.progress()
        self._listed = Digests(self._progress.listed)
        may_change = self._may_change()
        if may_change:
            self._end_import()
        for added in self._additions():
            self._lasting.add(added.recipient)
        self._read()
        self.report.surplus = len(self._removals)
        if self._progress.is_read:
            self.report.missing = self._lasting.count_missing_in(self._listed)
        if may_change:
            self._remove()
            self._add()
            differing = self.report.missing + self.report.surplus
            self.report.drift = differing - self.report.added - self.report.removed - self._refused
        self.report.drift += self._not_taken_over
        if self._progress.is_read:
            self._progress = Progress(import_job=self._progress.import_job)
        else:
            self._progress.listed = self._listed.encode()
        self._files.put_progress(self._progress)

    def _may_change(self) -> bool:
        """Tell whether the account list is to be changed. In the sandbox it cannot be, which is reported."""
        if self._recorder.policy.account_list != "sync":
            return False
        if self._account_list.can_be_changed():
            return True
        self.report.unavailable = 1
        logger.error("SES does not let the account change its suppression list: it is in the sandbox.")
        return False

    def _end_import(self) -> None:
        """Forget the import job of an earlier run if it has ended, and count what it refused."""
        if self._progress.import_job:
            status = self._account_list.import_status(self._progress.import_job)
            self.report.refused += status.failed
            if status.error:
                logger.error("An import job has failed.", extra={"job": self._progress.import_job})
            if not status.is_running:
                self._progress.import_job = ""

    def _read(self) -> None:
        """Compare the addresses of the account list, from where the last run stopped."""
        if self._progress.is_read:
            return
        try:
            for page, token in self._account_list.pages(self._progress.next_token):
                if not self._compare(page):
                    return  # the next run compares this page again
                self._progress.next_token, self._progress.is_read = token, token is None
                if not self._has_time(RESERVED_TO_CHANGE):
                    return
        except StaleToken:
            logger.warning("SES no longer knows where reading stopped: the next run begins again.")
            self._progress, self._listed = Progress(import_job=self._progress.import_job), Digests()

    def _compare(self, page: list[Listed]) -> bool:
        """Compare a page, and tell whether there was time for all of it."""
        forgotten = self._recorder.forgotten()
        unknown = (listed for listed in page if listed.recipient not in self._lasting)
        differing = [listed for listed in unknown if listed.recipient not in forgotten]
        entries = self._suppressions.entries_for(listed.recipient for listed in differing)
        for listed in differing:
            if not self._has_time(RESERVED_TO_CHANGE):
                return False
            entry = entries.get(listed.recipient)
            verdict = compare(listed, entry, self._now)
            if verdict is Verdict.UNDECIDED:
                verdict = compare_events(listed, entry, self._recorder.ledger.feedback_for(listed.recipient).events)
            if verdict is Verdict.REMOVE and len(self._removals) < MAX_IMPORT_REMOVALS:
                self._removals.append(listed)
            if verdict is Verdict.TAKE_OVER:
                is_done = self._attempt(lambda listed=listed: self._recorder.record([event_of(listed)]))
                self.report.taken_over += is_done
                self._not_taken_over += not is_done
        for listed in page:
            self._listed.add(listed.recipient)
        return True

    def _additions(self) -> Iterator[Addition]:
        """Return everything that belongs on the account list. Entries of forgotten recipients are to be erased."""
        forgotten = self._recorder.forgotten()
        additions = (addition(entry, self._now) for entry in self._suppressions.entries())
        return (added for added in additions if added and added.recipient not in forgotten)

    def _remove(self) -> None:
        if len(self._removals) > MAX_SINGLE_CALLS:
            rows = ((listed.address, listed.reason) for listed in self._removals)
            self.report.removed = self._import("DELETE", rows, len(self._removals))
            return
        for listed in self._removals:
            if not self._has_time(RESERVED_TO_END):
                return
            self.report.removed += self._attempt(lambda listed=listed: self._account_list.delete(listed.address))

    def _add(self) -> None:
        """Put what is missing on the list, after the ledger says that this is about to happen."""
        if not self.report.missing:
            return
        missing = (added for added in self._additions() if added.recipient not in self._listed)
        recorded = []
        with self._recorder.ledger.writer() as write:
            for added in islice(missing, MAX_IMPORT_ADDITIONS):
                if not self._has_time(RESERVED_TO_END * 2):
                    break
                write(event_before(added, self._now))
                recorded.append(added)
        if len(recorded) > MAX_SINGLE_CALLS:
            rows = ((added.address, added.reason) for added in recorded)
            self.report.added = self._import("PUT", rows, len(recorded))
            return
        for added in recorded:
            if not self._has_time(RESERVED_TO_END):
                return
            self.report.added += self._attempt(lambda added=added: self._account_list.put(added))

    def _import(self, action: str, rows: Iterable[tuple[str, str]], number: int) -> int:
        """Start an import job unless one is running, and return how many addresses it has."""
        if self._progress.import_job:
            return 0
        url = self._files.put_import(f"{self._now:%Y-%m-%dT%H-%M-%S}-{action.lower()}", rows)
        self._progress.import_job = self._account_list.start_import(action, url)
        logger.info("Started an import job.", extra={"job": self._progress.import_job, "addresses": number})
        return number

    def _attempt(self, change: Callable[[], object]) -> int:
        """Make one change; return 1, or 0 if it failed, which concerns this address only."""
        try:
            change()
        except FAILURES as error:
            reason = error_code(error) if isinstance(error, ClientError) else type(error).__name__
            self._refused += reason == REFUSED
            self.report.refused += reason == REFUSED
            logger.error("An address could not be synchronized.", extra={"reason": reason})
            return 0
        return 1
