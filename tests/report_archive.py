"""Make archives for tests of reports: gzip objects of JSON lines, arranged by the hour of arrival as by Firehose."""

import gzip
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from aftersend.parsing.machines import GMAIL_PREFETCH

BEGIN = datetime(2026, 3, 1, 9, 26, 53, 123_000, tzinfo=UTC)
READERS = ("ada@mail.example", "Ben@Mail.example", "cy@shop.example", "dee@mail.example", "eve@mail.example")
DESTINATIONS = (*READERS, "Fay Reader <fay@mail.example>", "bounce@simulator.amazonses.com")
LINKS = ("https://bookshop.example/", "https://bookshop.example/it's?a=1,2")
WITHOUT_TIME = ("Reject", "Rendering Failure", "Novel")
USER_AGENTS = (
    *("Mozilla", "", "Mozilla/5.0", GMAIL_PREFETCH, "xGooglebot/2.1", "Mozilla (GOOGLEBOT/2.1)", "Slack-ImgProxy 1"),
    *("curl/8.5", "curly/8.5", f"{'a ' * 252}curl/8.5", f"{'a ' * 254}curl/8.5"),
)
"""Those of people and of machines; the last are cut off before and within the name of a program."""
SUBTYPES = (
    *(("Permanent", name) for name in ("NoEmail", "Suppressed", "EmailValidationSuppressed", "UnsubscribedRecipient")),
    *(("Transient", name) for name in ("MessageTooLarge", "ContentRejected", "AttachmentRejected")),
    ("Transient", "CustomTimeoutExceeded"),
)
NOT_JSON = '{"eventType": "Open", "mail": '

Record = dict[str, Any]
Objects = dict[str, bytes]
"""Keys and contents."""


def text(time: datetime) -> str:
    """Return a time as SES writes it."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def an_archive(seed: int, messages: int = 40) -> Objects:
    """Return the objects with the records of some messages, sent over 60 days: in no order, some of them repeatedly."""
    rng = random.Random(seed)
    lines: dict[str, list[str]] = defaultdict(list)
    for number in range(messages):
        sent_at = BEGIN + timedelta(minutes=rng.randrange(60 * 24 * 60))
        for occurred_at, record in _records(rng, f"message-{number}", sent_at):
            for _ in range(rng.choice((1, 1, 2))):
                began = occurred_at + timedelta(minutes=rng.randrange(5)) - timedelta(minutes=rng.randrange(15))
                lines[f"events/{began:%Y/%m/%d/%H}/stream-{rng.randrange(2)}.gz"].append(json.dumps(record))
    for each in lines.values():
        rng.shuffle(each)
    lines[f"events/{BEGIN:%Y/%m/%d/%H}/damaged.gz"] = [NOT_JSON, "", "[1]", '{"eventType": "Open"}']
    return {key: gzip.compress("\n".join([*each, ""]).encode()) for key, each in lines.items()}


def _records(rng: random.Random, message: str, sent_at: datetime) -> Iterator[tuple[datetime, Record]]:
    destination = rng.sample(DESTINATIONS, rng.choice((1, 1, 1, 2, 3)))
    tags = {"campaign": [rng.choice(("spring", "it's"))], "Campaign": ["other"], "ses:configuration-set": ["news"]}
    mail: Record = {"messageId": message, "timestamp": text(sent_at), "source": "news@bookshop.example"}
    mail |= {"destination": destination, "tags": tags}

    def record(kind: str, details: str, occurred_at: datetime, **fields: Any) -> tuple[datetime, Record]:
        return occurred_at, {"eventType": kind, "mail": mail, details: fields}

    yield record("Send", "send", sent_at)
    for kind, details, fields in rng.sample(_outcomes(rng, destination), rng.randrange(4)):
        occurred_at = sent_at + timedelta(minutes=rng.randrange(1, 300))
        times = {} if kind in WITHOUT_TIME else {"timestamp": text(occurred_at)}
        yield record(kind, details, occurred_at, **times, **fields)
    for _ in range(rng.choice((0, 0, 2))):
        occurred_at = sent_at + timedelta(minutes=rng.randrange(60 * 24 * 59))
        fields = {"timestamp": text(occurred_at), "ipAddress": "192.0.2.1", "userAgent": rng.choice(USER_AGENTS)}
        fields |= rng.choice(({}, {"isBotEvent": "Likely"}, {"isBotEvent": "Unlikely"}))
        yield record("Open", "open", occurred_at, **fields)
        if rng.randrange(2):
            yield record("Click", "click", occurred_at, **fields, link=rng.choice(LINKS), linkTags=None)


def _outcomes(rng: random.Random, destination: list[str]) -> list[tuple[str, str, Record]]:
    """Return records of every kind but Send, Open and Click: type, name of the details and their fields."""
    one = rng.choice(destination)
    report = {"emailAddress": one, "action": "failed", "status": rng.choice(("5.1.1", "5.7.1")), "diagnosticCode": "x"}
    forward = [{"emailAddress": "forwarded@elsewhere.example", "status": "4.4.7"}]

    def bounce(of: str, subtype: str, recipients: list[Record]) -> tuple[str, str, Record]:
        return "Bounce", "bounce", {"bounceType": of, "bounceSubType": subtype, "bouncedRecipients": recipients}

    def complaint(**fields: Any) -> tuple[str, str, Record]:
        recipients = [{"emailAddress": each} for each in destination]
        return "Complaint", "complaint", {"complainedRecipients": recipients, "complaintSubType": None} | fields

    return [
        ("Delivery", "delivery", {"recipients": destination, "smtpResponse": "250 ok"}),
        ("Delivery", "delivery", {"smtpResponse": "250 ok"}),
        ("DeliveryDelay", "deliveryDelay", {"delayType": "MailboxFull", "delayedRecipients": [report]}),
        ("DeliveryDelay", "deliveryDelay", {"delayType": "General"}),
        bounce("Permanent", "General", [report]),
        bounce("Permanent", "OnAccountSuppressionList", [{"emailAddress": each} for each in destination]),
        bounce("Transient", "General", [{"emailAddress": one.upper()}]),
        bounce("Transient", "General", [{"emailAddress": one, "action": "failed"}]),
        bounce("Transient", "MailboxFull", forward),
        bounce("Undetermined", "Undetermined", [report]),
        bounce("Undetermined", "Undetermined", []),
        *(bounce(of, subtype, [report]) for of, subtype in SUBTYPES),
        complaint(complaintFeedbackType="abuse", userAgent="Feedback"),
        complaint(complaintFeedbackType="not-spam"),
        complaint(complaintSubType="OnAccountSuppressionList"),
        ("Reject", "reject", {"reason": "Bad content"}),
        ("Rendering Failure", "failure", {"templateName": "news", "errorMessage": "no name"}),
        ("Subscription", "subscription", {"contactList": "readers"}),
        ("Novel", "novel", {}),
    ]
