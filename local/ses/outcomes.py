"""State what happens to a message by its recipients: the mailbox simulator's, those on the account list, and others."""

from collections import defaultdict

from local.ses.account_list import MAILBOX_SIMULATOR, AccountList
from local.ses.addresses import address_of
from local.ses.records import SimulatedEvent

MAILBOX_SIMULATOR_EVENTS: dict[str, list[SimulatedEvent]] = {
    "success": [{"event": "Delivery"}],
    "bounce": [
        {
            "event": "Bounce",
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "action": "failed",
            "status": "5.1.1",
            "diagnosticCode": "smtp; 550 5.1.1 user unknown",
        },
    ],
    "ooto": [
        {"event": "Delivery"},
        {"event": "Bounce", "bounceType": "Transient", "bounceSubType": "General"},
    ],
    "complaint": [
        {"event": "Delivery"},
        {"event": "Complaint", "complaintFeedbackType": "abuse", "userAgent": "Amazon SES Mailbox Simulator"},
    ],
    "suppressionlist": [
        {
            "event": "Bounce",
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "diagnosticCode": "Amazon SES has suppressed sending to this address",
        },
    ],
}
"""Local part of a mailbox simulator address → events after Send ("Using the mailbox simulator" in SES's guide)."""

_ECHOES: dict[str, SimulatedEvent] = {
    "BOUNCE": {"event": "Bounce", "bounceType": "Permanent", "bounceSubType": "OnAccountSuppressionList"},
    "COMPLAINT": {"event": "Complaint", "complaintSubType": "OnAccountSuppressionList"},
}
"""What SES publishes instead of sending to a listed recipient, by the reason that the list has."""


def default_events(recipients: list[str], account_list: AccountList) -> list[SimulatedEvent]:
    """Return the events of a message: Send, then each outcome with the recipients it concerns."""
    echoes: list[SimulatedEvent] = []
    outcomes: dict[str, list[str]] = defaultdict(list)
    for recipient in recipients:
        if reason := account_list.suppressing_reason(recipient):
            echoes.append({**_ECHOES[reason], "to": [recipient]})
        else:
            outcomes[_outcome(recipient)].append(recipient)
    others = [{**event, "to": to} for name, to in outcomes.items() for event in MAILBOX_SIMULATOR_EVENTS[name]]
    return [{"event": "Send"}, *echoes, *others]


def is_simulator(recipient: str) -> bool:
    """Return whether a recipient is an address of the mailbox simulator."""
    return address_of(recipient).lower().endswith(MAILBOX_SIMULATOR)


def _outcome(recipient: str) -> str:
    """Return the name of a mailbox simulator address; other recipients get their messages."""
    name = address_of(recipient).partition("@")[0].split("+")[0].lower()
    return name if is_simulator(recipient) and name in MAILBOX_SIMULATOR_EVENTS else "success"
