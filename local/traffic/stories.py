"""Define the stories: each is one way a message can fare, as the SES events published about it."""

import random
from typing import Any, Protocol

from local.traffic.mail import Mail

FAILED = {"action": "failed"}
UNKNOWN_USER = FAILED | {"status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}
SENDER_REFUSED = FAILED | {
    "status": "5.7.1",
    "diagnosticCode": "smtp; 550 5.7.1 message refused: poor sender reputation",
}
MAILBOX_FULL = FAILED | {"status": "4.2.2", "diagnosticCode": "smtp; 452 4.2.2 mailbox full"}


class Story(Protocol):
    """Type of a function that adds the events of its story to a message."""

    __name__: str

    def __call__(self, mail: Mail, rng: random.Random, /) -> None: ...


def delivered_and_read(mail: Mail, rng: random.Random) -> None:
    mail.deliver()
    mail.open_and_click(rng)


def delivered(mail: Mail, _: random.Random) -> None:
    mail.deliver()


def unknown_user(mail: Mail, rng: random.Random) -> None:
    mail.send()
    _hard_bounce(mail, rng.choice(["General", "NoEmail", "Suppressed"]))


def bounced_after_delivery(mail: Mail, _: random.Random) -> None:
    mail.deliver()
    _hard_bounce(mail, seconds=600)


def sender_refused(mail: Mail, _: random.Random) -> None:
    mail.send()
    mail.bounce("Permanent", "General", "sender-refused", **SENDER_REFUSED)


def complained(mail: Mail, rng: random.Random) -> None:
    mail.deliver()
    mail.complain(rng.choice(["abuse", "fraud", "a-type-of-tomorrow"]), seconds=300)


def complaint_retracted(mail: Mail, _: random.Random) -> None:
    complained(mail, random.Random(0))
    mail.complain("not-spam", "not-spam", seconds=900)


def complaint_retracted_and_bounced(mail: Mail, _: random.Random) -> None:
    """Bounce, complain and retract: the retraction lifts the complaint but not the bounce."""
    complaint_retracted(mail, random.Random(0))
    _hard_bounce(mail, seconds=500)


def not_spam_without_complaint(mail: Mail, _: random.Random) -> None:
    mail.deliver()
    mail.complain("not-spam", "not-spam", seconds=400)


def out_of_office(mail: Mail, _: random.Random) -> None:
    mail.deliver()
    mail.bounce("Transient", "General", "out-of-office", seconds=5)


def soft_bounced(mail: Mail, rng: random.Random) -> None:
    mail.send()
    bounce_type, subtype = rng.choice(
        [("Transient", "MailboxFull"), ("Transient", "ContentRejected"), ("Undetermined", "Undetermined")]
    )
    mail.bounce(bounce_type, subtype, **MAILBOX_FULL)


def on_account_suppression_list(mail: Mail, rng: random.Random) -> None:
    mail.send()
    if rng.random() < 0.5:
        mail.bounce("Permanent", "OnAccountSuppressionList", "suppression-list-echo")
    else:
        subtype = "OnAccountSuppressionList"
        mail.add_event("Complaint", rule="suppression-list-echo", complaintSubType=subtype)


def delayed(mail: Mail, _: random.Random) -> None:
    mail.deliver()
    mail.add_event("DeliveryDelay", 60)
    mail.add_event("DeliveryDelay", 120, delayType="MailboxFull")


def rejected(mail: Mail, _: random.Random) -> None:
    mail.send()
    mail.add_event("Reject")


def rendering_failed(mail: Mail, _: random.Random) -> None:
    mail.add_event("Rendering Failure", 0)


def unsubscribed(mail: Mail, _: random.Random) -> None:
    mail.deliver()
    mail.add_event("Subscription", 200)


def one_of_two_recipients_bounced(mail: Mail, rng: random.Random) -> None:
    """Bounce for one recipient while the other reads. Opens and clicks do not name a recipient."""
    mail.recipients.append(f"colleague-{rng.getrandbits(32):x}@office.example")
    mail.deliver(to=mail.recipients[:1])
    _hard_bounce(mail, to=mail.recipients[1:])
    mail.open_and_click(rng)


def one_of_two_recipients_complained(mail: Mail, rng: random.Random) -> None:
    """Complain without naming the recipient, as most providers do: all recipients at the provider are candidates."""
    mail.recipients.append(f"neighbour-{rng.getrandbits(32):x}@mail.example")
    mail.deliver()
    mail.complain("abuse", seconds=300)


def bounced_after_forwarding(mail: Mail, _: random.Random) -> None:
    mail.deliver()
    _hard_bounce(mail, to=["old-friend@elsewhere.example"])


def mailbox_simulator(mail: Mail, rng: random.Random) -> None:
    """Send to the SES mailbox simulator, whose events are counted separately and suppress nobody.

    The events follow from the address, so none are added here.
    """
    name = rng.choice(["bounce", "complaint", "ooto"])
    mail.recipients = [f"{name}+{rng.getrandbits(32):x}@simulator.amazonses.com"]
    mail.rules["simulator"] += 1


def _hard_bounce(mail: Mail, subtype: str = "General", **details: Any) -> None:
    mail.bounce("Permanent", subtype, "hard-bounce", **UNKNOWN_USER, **details)


STORIES: dict[Story, int] = {
    delivered_and_read: 40,
    delivered: 25,
    unknown_user: 6,
    bounced_after_delivery: 2,
    sender_refused: 3,
    complained: 4,
    complaint_retracted: 2,
    complaint_retracted_and_bounced: 1,
    not_spam_without_complaint: 1,
    out_of_office: 3,
    soft_bounced: 4,
    on_account_suppression_list: 3,
    delayed: 3,
    rejected: 1,
    rendering_failed: 2,
    unsubscribed: 2,
    one_of_two_recipients_bounced: 2,
    one_of_two_recipients_complained: 1,
    bounced_after_forwarding: 1,
    mailbox_simulator: 4,
}
"""Every story and its relative frequency."""

NEWSLETTER_STORIES = {delivered_and_read, one_of_two_recipients_bounced}
"""Stories with opens and clicks: the configuration set of order confirmations does not track them."""

ORDER_STORIES = {delivered}
"""Stories that need an identity with delivery notifications: only the one that sends order confirmations has them."""
