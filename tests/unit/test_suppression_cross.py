"""Walk the cross of an event and what was before it, with the decision written in each cell."""

from collections.abc import Callable

import msgspec
import pytest

from aftersend.events import Event, Kind, Preferences
from aftersend.suppression import Policy
from tests.event_factory import (
    NOW,
    a_bounce,
    a_complaint,
    a_not_spam_report,
    added_by_operator,
    an_event,
    an_out_of_office_reply,
    decide_everywhere,
    removed_by_operator,
)

BEFORE: dict[str, Callable[[], list[Event]]] = {
    "none": list,
    "temporary": lambda: [a_bounce(subtype="EmailValidationSuppressed", minutes=1, message="before")],
    "bounce": lambda: [a_bounce(minutes=1, message="before")],
    "complaint": lambda: [a_complaint(minutes=1, message="before")],
    "added": lambda: [added_by_operator(minutes=1)],
    "removed": lambda: [a_bounce(minutes=1, message="before"), removed_by_operator(minutes=2)],
}
"""What was decided before the event."""


def bounce(bounce_type: str, subtype: str | None, status: str | None = "5.1.1") -> Event:
    return a_bounce(bounce_type, subtype, status=status, minutes=60, message="event", action=status and "failed")


def complaint(feedback_type: str | None, subtype: str | None = None) -> Event:
    return a_complaint(feedback_type, complaint_subtype=subtype, minutes=60, message="event")


TABLE = {
    # event: decision after nothing, temporary, bounce, complaint, added, removed
    "hard bounce": (bounce("Permanent", "General"), "B B B B A B"),
    "no such mailbox": (bounce("Permanent", "NoEmail"), "B B B B A B"),
    "on SES's global list": (bounce("Permanent", "Suppressed"), "B B B B A B"),
    "permanent without a subtype": (bounce("Permanent", None), "B B B B A B"),
    "permanent, subtype of tomorrow": (bounce("Permanent", "OfTomorrow"), "- T B C A -"),
    "refused sender": (bounce("Permanent", "General", "5.7.1"), "- T B C A -"),
    "echo of the account list": (bounce("Permanent", "OnAccountSuppressionList"), "- T B C A -"),
    "echo of the tenant's list": (bounce("Permanent", "OnTenantSuppressionList"), "- T B C A -"),
    "unsubscribed": (bounce("Permanent", "UnsubscribedRecipient"), "- T B C A -"),
    "refused by validation": (bounce("Permanent", "EmailValidationSuppressed"), "T T B C A T"),
    "transient with a status of 5.1": (bounce("Transient", "General", "5.1.10"), "B B B B A B"),
    "out of office": (an_out_of_office_reply(minutes=60, message="event"), "- T B C A -"),
    "mailbox full": (bounce("Transient", "MailboxFull", "4.2.2"), "- T B C A -"),
    "given up after retries": (bounce("Transient", "General", "4.4.7"), "- T B C A -"),
    "too large": (bounce("Transient", "MessageTooLarge", "5.3.4"), "- T B C A -"),
    "content refused": (bounce("Transient", "ContentRejected", "5.6.1"), "- T B C A -"),
    "attachment refused": (bounce("Transient", "AttachmentRejected", "5.6.1"), "- T B C A -"),
    "timeout of the set": (bounce("Transient", "CustomTimeoutExceeded", "4.4.7"), "- T B C A -"),
    "undetermined": (bounce("Undetermined", "Undetermined", "5.0.0"), "- T B C A -"),
    "complaint": (complaint("abuse"), "C C B C A C"),
    "complaint without a type": (complaint(None), "C C B C A C"),
    "complaint of tomorrow's type": (complaint("of-tomorrow"), "C C B C A C"),
    "echo as a complaint": (complaint(None, "OnAccountSuppressionList"), "- T B C A -"),
    "not spam": (a_not_spam_report(minutes=60), "- T B - A -"),
    "opt-out from a list": (
        an_event(Kind.SUBSCRIPTION, contact_list="readers", new_preferences=Preferences(True), minutes=60),
        "- T B C A -",
    ),
    "delivery": (an_event(Kind.DELIVERY, minutes=60, message="event"), "- T B C A -"),
    "send": (an_event(Kind.SEND, minutes=60, message="event"), "- T B C A -"),
    "on the account list, bounce": (an_event("OnAccountList", list_reason="BOUNCE", minutes=60), "B B B B A B"),
    "on the account list, complaint": (an_event("OnAccountList", list_reason="COMPLAINT", minutes=60), "C C B C A C"),
    "put on the account list": (an_event("PutOnAccountList", list_reason="BOUNCE", minutes=60), "- T B C A -"),
    "added by an operator": (added_by_operator(minutes=60), "A A A A A A"),
    "removed by an operator": (removed_by_operator(minutes=60), "- - - - - -"),
}

LETTERS = {"bounce": "B", "complaint": "C", "operator": "A"}


def decision(events: list[Event]) -> str:
    """Return a letter: suppressed by a bounce, by a complaint, by an operator (added), for a time, or not."""
    entry = decide_everywhere(events, Policy(), NOW)
    if entry is None or not entry.is_in_force(NOW):
        return "-"
    return "T" if entry.until else LETTERS[entry.reason]


def test_table_is_complete_and_small():
    assert all(len(expected.split()) == len(BEFORE) for _, expected in TABLE.values())
    assert len(TABLE) * len(BEFORE) <= 200


@pytest.mark.parametrize("name", TABLE)
def test_event_after_whatever_was_before(name: str):
    event, expected = TABLE[name]
    assert " ".join(decision([*before(), event]) for before in BEFORE.values()) == expected


@pytest.mark.parametrize("name", TABLE)
def test_simulated_recipients_are_suppressed_by_operators_only(name: str):
    event, expected = TABLE[name]
    simulated = msgspec.structs.replace(event, recipient="bounce@simulator.amazonses.com")
    is_suppressed = decide_everywhere([simulated], Policy(), NOW) is not None
    assert is_suppressed == (expected == "A A A A A A")
