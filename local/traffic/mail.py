"""Describe a message to send together with the events SES will publish about it and their expected results."""

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any, NamedTuple

from local.ses import SimulatedEvent

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
    """A message to send, its events, and the counts, rules and evidence expected from them."""

    story: str
    sender: str
    recipients: list[str]
    tags: dict[str, str]
    configuration_set: str
    sent_at: datetime
    events: list[SimulatedEvent] = field(default_factory=list)
    measures: Counter[str] = field(default_factory=Counter)
    evidence: list[Evidence] = field(default_factory=list)
    rules: Counter[str] = field(default_factory=Counter)

    def add_event(
        self, event: str, measure: str, seconds: float = 1, to: list[str] | None = None, rule: str = "", **details: Any
    ) -> None:
        """Add an event, the measure it is counted as and, for feedback, the rule of the policy that matches it."""
        affected = {} if to is None else {"to": to}
        self.events.append({"event": event, "seconds": seconds, **affected, **details})
        self.measures[measure] += len(self.recipients if to is None else to)
        if rule:
            self.rules[rule] += 1
        if rule in SUPPRESSION_RULES:
            occurred_at = self.sent_at + timedelta(seconds=seconds)
            # A forwarded message bounces for an address it was not sent to; its original recipient is suppressed.
            recipients = self.recipients if to is None or not set(to) <= set(self.recipients) else to
            self.evidence += [Evidence(occurred_at, bare_address(recipient), rule) for recipient in recipients]

    def send(self) -> None:
        self.add_event("Send", "send", 0)

    def deliver(self, to: list[str] | None = None) -> None:
        """Send the message and deliver it to `to`, or to all recipients."""
        self.send()
        self.add_event("Delivery", "delivery", 2, to)

    def bounce(self, bounce_type: str, subtype: str, measure: str, rule: str = NO_RULE, **details: Any) -> None:
        self.add_event("Bounce", measure, rule=rule, bounceType=bounce_type, bounceSubType=subtype, **details)

    def complain(self, feedback_type: str, measure: str = "complaint", rule: str = "complaint", **details: Any) -> None:
        self.add_event("Complaint", measure, rule=rule, complaintFeedbackType=feedback_type, **details)

    def open_and_click(self, rng: random.Random) -> None:
        """Add opens and clicks. Each is counted, and the first of each kind is also counted as unique."""
        reader = [self.recipients[0]]
        opens, clicks = rng.randint(1, 4), rng.randint(0, 2)
        for number in range(opens):
            self.add_event("Open", "open", 60 + 7 * number, reader)
        for number in range(clicks):
            link = f"https://bookshop.example/books/{number}"
            self.add_event("Click", "click", 90 + 5 * number, reader, link=link, linkTags={"shelf": ["top"]})
        self.measures |= Counter(unique_opens=1, unique_clicks=min(clicks, 1))


def bare_address(recipient: str) -> str:
    """Return the address without its display name, in lower case: recipients are compared like this."""
    return parseaddr(recipient)[1].lower()
