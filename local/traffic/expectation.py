"""Predict the counters and the suppression list that must result from mail."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from local.traffic.mail import Evidence, Mail, bare_address


class CountKey(NamedTuple):
    """Identify one counter: a message tag's value, the hour the messages were sent in, and a measure."""

    tag: str
    value: str
    hour: datetime
    measure: str


@dataclass
class Expectation:
    """The counters and suppression list that must result from mail."""

    counts: Counter[CountKey]
    suppressed: dict[str, str]
    """Recipients with an entry in force, and the id of the rule that suppressed them."""
    lifted: set[str]
    """Recipients whose entry was lifted."""


def predict(mails: Iterable[Mail]) -> Expectation:
    """Return what must result from these messages."""
    mails = list(mails)
    reasons = _reasons_by_recipient(evidence for mail in mails for evidence in mail.evidence)
    # A bounce has precedence over a complaint: it is harder to lift.
    suppressed = {
        recipient: "hard-bounce" if "hard-bounce" in rules else "complaint"
        for recipient, rules in reasons.items()
        if rules
    }
    return Expectation(_counts(mails), suppressed, set(reasons) - set(suppressed))


def _counts(mails: list[Mail]) -> Counter[CountKey]:
    counts: Counter[CountKey] = Counter()
    for mail in mails:
        hour = mail.sent_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        domain = bare_address(mail.sender).rpartition("@")[2]
        # SES adds the tags that start with "ses:".
        tags = {**mail.tags, "ses:configuration-set": mail.configuration_set, "ses:from-domain": domain}
        for tag, value in tags.items():
            for measure, count in mail.measures.items():
                counts[CountKey(tag, value, hour, measure)] += count
    return +counts


def _reasons_by_recipient(evidence: Iterable[Evidence]) -> dict[str, set[str]]:
    """Return the rules that suppress each recipient after all evidence; an empty set means that they were lifted."""
    reasons: dict[str, set[str]] = {}
    for item in sorted(evidence):
        if item.rule == "not-spam":
            reasons.get(item.recipient, set()).discard("complaint")
        else:
            reasons.setdefault(item.recipient, set()).add(item.rule)
    return reasons
