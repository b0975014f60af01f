"""Describe a message to send together with the events SES will publish about it and what they are evidence of."""

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any, NamedTuple

from local.ses import Message, SimulatedEvent

SUBJECT = "Your next book"

SUPPRESSION_RULES = ("hard-bounce", "complaint", "not-spam")
"""Rules of the policy that add recipients to the suppression list or remove them from it."""

NO_RULE = "(none)"
"""Stands for a rule where feedback matches none, as soft bounces do."""


class Evidence(NamedTuple):
    """An event that suppresses a recipient or lifts a complaint. Sorts by time."""

    occurred_at: datetime
    recipient: str
    rule: str
    """One of SUPPRESSION_RULES."""


@dataclass
class Mail:
    """A message to send, its events, and the rules and evidence expected from them."""

    story: str
    sender: str
    recipients: list[str]
    tags: dict[str, str]
    configuration_set: str
    sent_at: datetime
    events: list[SimulatedEvent] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    rules: Counter[str] = field(default_factory=Counter)

    def message(self, message_id: str) -> Message:
        """Return the message as SES accepts it."""
        return Message(
            id=message_id,
            source=self.sender,
            destination=self.recipients,
            subject=SUBJECT,
            sent_at=self.sent_at,
            configuration_set=self.configuration_set,
            tags={name: [value] for name, value in self.tags.items()},
        )

    def add_event(
        self, event: str, seconds: float = 1, to: list[str] | None = None, rule: str = "", **details: Any
    ) -> None:
        """Add an event and, for feedback, the rule of the policy that matches it."""
        affected = {} if to is None else {"to": to}
        self.events.append({"event": event, "seconds": seconds, **affected, **details})
        if rule:
            self.rules[rule] += 1
        if rule in SUPPRESSION_RULES:
            occurred_at = self.sent_at + timedelta(seconds=seconds)
            # A forwarded message bounces for an address it was not sent to; its original recipient is suppressed.
            recipients = self.recipients if to is None or not set(to) <= set(self.recipients) else to
            self.evidence += [Evidence(occurred_at, bare_address(recipient), rule) for recipient in recipients]

    def forget_events_after(self, now: datetime) -> None:
        """Remove what has not happened yet."""
        seconds = (now - self.sent_at).total_seconds()
        self.events = [event for event in self.events if event["seconds"] <= seconds]
        self.evidence = [evidence for evidence in self.evidence if evidence.occurred_at <= now]

    def send(self) -> None:
        self.add_event("Send", 0)

    def deliver(self, to: list[str] | None = None, seconds: int = 2) -> None:
        """Send the message and deliver it to `to`, or to all recipients."""
        self.send()
        self.add_event("Delivery", seconds, to)

    def bounce(self, bounce_type: str, subtype: str, rule: str = NO_RULE, **details: Any) -> None:
        self.add_event("Bounce", rule=rule, bounceType=bounce_type, bounceSubType=subtype, **details)

    def complain(self, feedback_type: str, rule: str = "complaint", **details: Any) -> None:
        self.add_event("Complaint", rule=rule, complaintFeedbackType=feedback_type, **details)

    def open_and_click(self, rng: random.Random) -> None:
        """Add opens and clicks of the first recipient."""
        reader = [self.recipients[0]]
        for number in range(rng.randint(1, 4)):
            self.add_event("Open", 60 + 7 * number, reader)
        for number in range(rng.randint(0, 2)):
            link = f"https://bookshop.example/books/{number}"
            self.add_event("Click", 90 + 5 * number, reader, link=link, linkTags={"position": ["top"]})


def bare_address(recipient: str) -> str:
    """Return the address without its display name, in lower case: recipients are compared like this."""
    return parseaddr(recipient)[1].lower()
