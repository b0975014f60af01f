"""Define the reports over the archive: their queries, what they are asked about, and what they cost. Pure."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import NamedTuple

from aftersend.config.prices import SCANNED_TERABYTE, TB
from aftersend.operations.replay import whole_hours
from aftersend.parsing import machines

DEFAULT_RANGE = timedelta(days=30)

LATE = timedelta(days=60)
"""How long after a message was sent SES still tracks its opens and clicks ("Amazon SES email sending metrics FAQs");
events of a range of sending are looked for in objects that arrived until then."""

MINIMUM_BYTES, MEGABYTE = 10 * 2**20, 2**20
"""What a query is charged for at least, and the unit to which it is rounded up ("Amazon Athena pricing")."""

MAX_PARAMETER_CHARACTERS = 1_024
"""The length that Athena accepts for a parameter ("StartQueryExecution" in the Amazon Athena API reference)."""

MACHINE_TEXTS = ("LIKELY", "APPLE_PROXY", "GMAIL_PREFETCH", "SCANNER_PATTERN")
"""Constants of aftersend/parsing/machines.py that stand in the queries as literals: their names in braces."""

TAG_VALUE, MESSAGE_ID = "TAG=VALUE", "MESSAGE_ID"
"""What a report may be asked about."""


class Report(NamedTuple):
    """Describe a report: its file in aftersend/reports/ has its query."""

    name: str
    summary: str
    subject: str | None = None
    """What it is asked about: TAG_VALUE, MESSAGE_ID or nothing."""
    late: timedelta = LATE
    """How long after the range its events may arrive."""

    @property
    def query(self) -> str:
        """Return the SQL, with a `?` for each parameter."""
        folder = files("aftersend") / "reports"
        query = "".join((folder / f"{name}.sql").read_text("utf-8") for name in ("events", self.name))
        for name in MACHINE_TEXTS:
            query = query.replace(literal(f"{{{name}}}"), literal(getattr(machines, name)))
        return query


REPORTS = {
    report.name: report
    for report in (
        Report("message", "What happened to a message, in the order of time.", MESSAGE_ID),
        Report("campaign", "What came of the messages with a tag: every measure, all and per recipient.", TAG_VALUE),
        Report("links", "How often each link of the messages with a tag was clicked.", TAG_VALUE),
        Report("clickers", "Who clicked which link of the messages with a tag.", TAG_VALUE),
        Report("inactive", "Who was sent to, and opened and clicked nothing.", late=timedelta(hours=1)),
    )
}


class InvalidSubject(Exception):
    """A report cannot be asked about this; the message says what it is asked about."""


def parameters(report: Report, subject: str | None, since: datetime, until: datetime) -> list[str]:
    """Return the parameters of a report's query, in their order: hours of arrival, the range, the subject.

    Raises:
        InvalidSubject: if the subject is missing, superfluous or of another form.
    """
    hours = whole_hours(since, until + report.late)
    arrived = [f"{hour:%Y/%m/%d/%H}" for hour in (hours.first, hours.end)]
    return list(map(literal, [*arrived, *map(_text, (since, until)), *_subject(report, subject)]))


def _subject(report: Report, subject: str | None) -> Sequence[str]:
    tag, separator, value = (subject or "").partition("=")
    is_valid = bool(tag and separator and value) if report.subject == TAG_VALUE else bool(subject)
    if is_valid != bool(report.subject) or len(subject or "") > MAX_PARAMETER_CHARACTERS // 2 - 2:
        wanted = f"about a {report.subject}" if report.subject else "about nothing but --since and --until"
        raise InvalidSubject(f'The report {report.name} is asked {wanted}, not about "{subject or ""}".')
    return [tag, value] if report.subject == TAG_VALUE else [subject] if subject else []


def literal(text: str) -> str:
    """Return a text as an SQL literal: Athena evaluates each parameter as an expression, so it must be quoted."""
    return "'" + text.replace("'", "''") + "'"


def _text(time: datetime) -> str:
    """Return a time as SES writes it, so that texts compare as times do."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def dollars(scanned_bytes: int) -> float:
    """Return the price of a query that scanned so many bytes."""
    charged = max(MINIMUM_BYTES, math.ceil(scanned_bytes / MEGABYTE) * MEGABYTE)
    return charged / TB * SCANNED_TERABYTE
