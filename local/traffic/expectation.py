"""Predict the counters and the suppression list that must result from mail."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from local.ses import AccountList, default_events
from local.traffic.expected_counts import CountKey, ExpectedCounts
from local.traffic.mail import Evidence, Mail


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
    expected = ExpectedCounts()
    for number, mail in enumerate(mails):
        message = mail.message(str(number))
        for event in mail.events or default_events(message.destination, AccountList()):
            expected.add(message, event)
    return expected.counts


def _reasons_by_recipient(evidence: Iterable[Evidence]) -> dict[str, set[str]]:
    """Return the rules that suppress each recipient after all evidence; an empty set means that they were lifted."""
    reasons: dict[str, set[str]] = {}
    for item in sorted(evidence):
        if item.rule == "not-spam":
            reasons.get(item.recipient, set()).discard("complaint")
        else:
            reasons.setdefault(item.recipient, set()).add(item.rule)
    return reasons
