"""Predict the counters from the events that are simulated, by rules of its own."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parseaddr
from functools import lru_cache
from typing import NamedTuple

from local.ses import Message, SimulatedEvent

TAGS = ("campaign", "genre")
LINK_TAGS = ("position",)

PROVIDERS = {
    "gmail.com": "gmail",
    "outlook.com": "microsoft",
    "hotmail.com": "microsoft",
    "hotmail.co.uk": "microsoft",
    "yahoo.com": "yahoo",
    "aol.com": "yahoo",
    "icloud.com": "apple",
    "me.com": "apple",
    "gmx.de": "gmx",
    "web.de": "gmx",
}
PRIVACY_PROXY = "Mozilla/5.0"

DELIVERY_LIMITS = (2, 5, 10, 30, 60, 300, 1800, 3600, 21600)
OPEN_LIMITS = (60, 600, 3600, 21600, 86400, 259200, 604800)

NAMES = {
    "Send": "send",
    "Delivery": "delivery",
    "Reject": "reject",
    "Rendering Failure": "rendering_failure",
    "DeliveryDelay": "delivery_delay",
    "Subscription": "subscription",
}

BOUNCES = {
    ("Permanent", "General"): "hard_bounce",
    ("Permanent", "NoEmail"): "hard_bounce_no_email",
    ("Permanent", "Suppressed"): "hard_bounce_suppressed",
    ("Permanent", "OnAccountSuppressionList"): "suppression_list_echo",
    ("Permanent", "EmailValidationSuppressed"): "validation_suppressed",
    ("Transient", "General"): "soft_bounce",
    ("Transient", "MailboxFull"): "mailbox_full",
    ("Transient", "ContentRejected"): "content_refused",
    ("Transient", "CustomTimeoutExceeded"): "delivery_timeout",
    ("Undetermined", "Undetermined"): "undetermined",
}


class CountKey(NamedTuple):
    """Identify one counter: a message tag's value, the hour the messages were sent in, and a measure."""

    tag: str
    value: str
    hour: datetime
    measure: str


class ExpectedCounts:
    """The counters that events must lead to, each given once."""

    def __init__(self) -> None:
        self.counts: Counter[CountKey] = Counter()
        self._opened: set[tuple[str, str, str]] = set()

    def add(self, message: Message, event: SimulatedEvent) -> None:
        """Count one event of one message."""
        for recipient in self._recipients(message, event):
            measure = _measure(event)
            simulated = (recipient or "").endswith("@simulator.amazonses.com")
            names = [measure, *self._first(message, event, recipient)]
            for name in names:
                prefixed = f"simulated_{name}" if simulated else name
                self._count(message, event, recipient, prefixed)
            if not simulated:
                self._count_time(message, event, recipient)

    def _recipients(self, message: Message, event: SimulatedEvent) -> list[str | None]:
        recipients = [_address(each) for each in message.destination]
        if event["event"] in ("Open", "Click"):
            return [recipients[0] if len(recipients) == 1 else None]
        if event["event"] == "Subscription":
            return [recipients[0]]
        return [_address(each) for each in event.get("to", message.destination)]

    def _first(self, message: Message, event: SimulatedEvent, recipient: str | None) -> Iterator[str]:
        kind = event["event"]
        if kind not in ("Open", "Click") or _machine(event):
            return
        name = {"Open": "opens", "Click": "clicks"}[kind]
        first = f"unique_{name}"
        key = (message.id, recipient or "", first)
        if key not in self._opened:
            self._opened.add(key)
            yield first

    def _count(self, message: Message, event: SimulatedEvent, recipient: str | None, measure: str) -> None:
        hour = message.sent_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        is_first = "unique" in measure
        for tag, value in self._tags(message, event, recipient, is_first):
            self.counts[CountKey(tag, value, hour, measure)] += 1

    def _tags(
        self, message: Message, event: SimulatedEvent, recipient: str | None, is_first: bool
    ) -> Iterator[tuple[str, str]]:
        yield "ses:from-domain", message.from_domain
        yield "ses:configuration-set", message.configuration_set or ""
        for tag in TAGS:
            for value in set(message.tags.get(tag, ())):
                yield tag, value
        if event["event"] in ("Send", "Delivery", "DeliveryDelay", "Bounce", "Complaint"):
            yield "aftersend:provider", PROVIDERS.get((recipient or "").rpartition("@")[2], "other")
        if event["event"] == "Click" and not is_first:
            for tag in LINK_TAGS:
                for value in set((event.get("linkTags") or {}).get(tag, ())):
                    yield f"link:{tag}", value

    def _count_time(self, message: Message, event: SimulatedEvent, recipient: str | None) -> None:
        kind = event["event"]
        if kind not in ("Delivery", "Open") or _machine(event):
            return
        limits = DELIVERY_LIMITS if kind == "Delivery" else OPEN_LIMITS
        seconds = event.get("seconds", 1)
        within = next((str(limit) for limit in limits if seconds <= limit), "more")
        midnight = message.sent_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        for tag, value in self._tags(message, event, recipient, is_first=False):
            if tag != "ses:configuration-set":
                continue
            self.counts[CountKey(tag, value, midnight, f"{kind.lower()}_within_{within}")] += 1


@lru_cache(maxsize=10_000)
def _address(text: str) -> str:
    return parseaddr(text)[1].lower()


def _machine(event: SimulatedEvent) -> str | None:
    if event.get("isBotEvent") == "Likely":
        return "bot"
    if event.get("userAgent") == PRIVACY_PROXY:
        return "proxy"
    return "scanner" if "curl/" in event.get("userAgent", "") else None


def _measure(event: SimulatedEvent) -> str:
    kind = event["event"]
    if kind in ("Open", "Click"):
        machine = _machine(event)
        return f"{kind.lower()}_{machine}" if machine else kind.lower()
    if event.get("complaintSubType") == "OnAccountSuppressionList":
        return "suppression_list_echo"
    if kind == "Complaint":
        return "not_spam" if event.get("complaintFeedbackType") == "not-spam" else "complaint"
    if kind != "Bounce":
        return NAMES[kind]
    if event["bounceType"] == "Transient" and "status" not in event and "action" not in event:
        return "out_of_office"
    if event["bounceType"] == "Permanent" and event.get("status", "").startswith("5.7."):
        return "sender_refused"
    return BOUNCES[event["bounceType"], event["bounceSubType"]]
