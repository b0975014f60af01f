"""The bookshop's mail: what is sent, what happens to it, and what must come of it.

What happens to each message is decided here, before it is sent, and the expectation is kept from these decisions.
This file imports nothing of aftersend: it says in its own words what is right.
"""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from typing import Any, NamedTuple, Protocol

from local.ses.records import Outcome

GENRES = {
    "spring-catalogue": "sci-fi",
    "new-arrivals": "sci-fi",
    "frontier-tales": "western",
    "summer-sale": "western",
    "staff-picks": "crime",
}
"""The campaigns, and the genre of the books each is about."""

NEWS, ORDERS = "Moonlit Books <news@bookshop.example>", "orders@orders.bookshop.example"
EACH_AT_LEAST = 6
"""How often each story is told in every run."""

OLDEST_HOURS, NEWEST_HOURS = 20, 2
"""When messages are said to have been sent, before now: all that happens to them has happened, too."""

FAILED = {"action": "failed"}
UNKNOWN_USER = FAILED | {"status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}
POLICY = FAILED | {"status": "5.7.1", "diagnosticCode": "smtp; 550 5.7.1 message refused: poor sender reputation"}
FULL = FAILED | {"status": "4.2.2", "diagnosticCode": "smtp; 452 4.2.2 mailbox full"}


class Fact(NamedTuple):
    """Something that suppresses a reader, or takes a complaint back."""

    at: datetime
    recipient: str
    what: str
    """hard-bounce, complaint or not-spam."""


@dataclass
class Mail:
    """A message to be sent, and what was decided to happen to it."""

    story: str
    sender: str
    recipients: list[str]
    tags: dict[str, str]
    configuration_set: str
    sent_at: datetime
    outcomes: list[Outcome] = field(default_factory=list)
    measures: Counter[str] = field(default_factory=Counter)
    facts: list[Fact] = field(default_factory=list)
    rules: Counter[str] = field(default_factory=Counter)

    def happens(
        self, event: str, counted: str, seconds: float = 1, to: list[str] | None = None, rule: str = "", **details: Any
    ) -> None:
        """Decide that an event happens, what it is to be counted as, and by which rule of the policy."""
        affected = {} if to is None else {"to": to}
        self.outcomes.append({"event": event, "seconds": seconds, **affected, **details})
        self.measures[counted] += len(self.recipients if to is None else to)
        if rule:
            self.rules[rule] += 1
        if rule in ("hard-bounce", "complaint", "not-spam"):
            at = self.sent_at + timedelta(seconds=seconds)
            # A mail that was forwarded bounces for another address than it was sent to: who was mailed counts.
            named = self.recipients if to is None or not set(to) <= set(self.recipients) else to
            self.facts += [Fact(at, address(recipient), rule) for recipient in named]

    def arrives(self, to: list[str] | None = None) -> None:
        self.happens("Send", "send", 0)
        self.happens("Delivery", "delivery", 2, to)

    def bounces(self, bounce_type: str, subtype: str, counted: str, rule: str = "no-rule", **details: Any) -> None:
        self.happens("Bounce", counted, rule=rule, bounceType=bounce_type, bounceSubType=subtype, **details)

    def complains(self, feedback: str, counted: str = "complaint", rule: str = "complaint", **details: Any) -> None:
        self.happens("Complaint", counted, rule=rule, complaintFeedbackType=feedback, **details)

    def is_read(self, draw: random.Random) -> None:
        """Opened and clicked a few times; counted each time, and once as unique."""
        opens, clicks = draw.randint(1, 4), draw.randint(0, 2)
        for number in range(opens):
            self.happens("Open", "open", 60 + 7 * number, [self.recipients[0]])
        for number in range(clicks):
            link = f"https://bookshop.example/books/{number}"
            self.happens(
                "Click", "click", 90 + 5 * number, [self.recipients[0]], link=link, linkTags={"shelf": ["top"]}
            )
        self.measures |= Counter(unique_opens=1, unique_clicks=min(clicks, 1))


class Story(Protocol):
    """Something that may happen to a message."""

    __name__: str

    def __call__(self, mail: Mail, draw: random.Random, /) -> None: ...


def address(recipient: str) -> str:
    return parseaddr(recipient)[1].lower()


def _read(mail: Mail, draw: random.Random) -> None:
    mail.arrives()
    mail.is_read(draw)


def _delivered(mail: Mail, _: random.Random) -> None:
    mail.arrives()


def _unknown_user(mail: Mail, draw: random.Random) -> None:
    mail.happens("Send", "send", 0)
    subtype = draw.choice(["General", "NoEmail", "Suppressed"])
    mail.bounces("Permanent", subtype, "hard_bounce", "hard-bounce", **UNKNOWN_USER)


def _bounced_late(mail: Mail, _: random.Random) -> None:
    mail.arrives()
    mail.bounces("Permanent", "General", "hard_bounce", "hard-bounce", seconds=600, **UNKNOWN_USER)


def _sender_refused(mail: Mail, _: random.Random) -> None:
    mail.happens("Send", "send", 0)
    mail.bounces("Permanent", "General", "sender_refused", "sender-refused", **POLICY)


def _complained(mail: Mail, draw: random.Random) -> None:
    mail.arrives()
    mail.complains(draw.choice(["abuse", "fraud", "a-type-of-tomorrow"]), seconds=300)


def _complained_and_took_it_back(mail: Mail, _: random.Random) -> None:
    _complained(mail, random.Random(0))
    mail.complains("not-spam", "not_spam", "not-spam", seconds=900)


def _all_at_once(mail: Mail, _: random.Random) -> None:
    """The retraction takes the complaint back, not the bounce."""
    _complained_and_took_it_back(mail, random.Random(0))
    mail.bounces("Permanent", "General", "hard_bounce", "hard-bounce", seconds=500, **UNKNOWN_USER)


def _not_spam_alone(mail: Mail, _: random.Random) -> None:
    mail.arrives()
    mail.complains("not-spam", "not_spam", "not-spam", seconds=400)


def _out_of_office(mail: Mail, _: random.Random) -> None:
    mail.arrives()
    mail.bounces("Transient", "General", "out_of_office", "out-of-office", seconds=5)


def _soft_bounce(mail: Mail, draw: random.Random) -> None:
    mail.happens("Send", "send", 0)
    kind = draw.choice(
        [("Transient", "MailboxFull"), ("Transient", "ContentRejected"), ("Undetermined", "Undetermined")]
    )
    mail.bounces(*kind, "soft_bounce", **FULL)


def _on_the_account_list(mail: Mail, draw: random.Random) -> None:
    mail.happens("Send", "send", 0)
    if draw.random() < 0.5:
        mail.bounces("Permanent", "OnAccountSuppressionList", "suppression_list_echo", "suppression-list-echo")
    else:
        subtype = "OnAccountSuppressionList"
        mail.happens("Complaint", "suppression_list_echo", rule="suppression-list-echo", complaintSubType=subtype)


def _delayed(mail: Mail, _: random.Random) -> None:
    mail.arrives()
    mail.happens("DeliveryDelay", "delivery_delay", 60)
    mail.happens("DeliveryDelay", "delivery_delay", 120, delayType="MailboxFull")


def _rejected(mail: Mail, _: random.Random) -> None:
    mail.happens("Send", "send", 0)
    mail.happens("Reject", "reject")


def _not_rendered(mail: Mail, _: random.Random) -> None:
    mail.happens("Rendering Failure", "rendering_failure", 0)


def _unsubscribed(mail: Mail, _: random.Random) -> None:
    mail.arrives()
    mail.happens("Subscription", "subscription", 200)


def _two_readers_one_bounces(mail: Mail, draw: random.Random) -> None:
    """Opens name nobody: those of a message to two readers belong to the message."""
    mail.recipients.append(f"colleague-{draw.getrandbits(32):x}@office.example")
    mail.arrives(to=mail.recipients[:1])
    mail.bounces("Permanent", "General", "hard_bounce", "hard-bounce", to=mail.recipients[1:], **UNKNOWN_USER)
    mail.is_read(draw)


def _two_candidates(mail: Mail, draw: random.Random) -> None:
    """Most providers do not say who complained: all recipients at the provider may have."""
    mail.recipients.append(f"neighbour-{draw.getrandbits(32):x}@mail.example")
    mail.arrives()
    mail.complains("abuse", seconds=300)


def _forwarded(mail: Mail, _: random.Random) -> None:
    mail.arrives()
    mail.bounces(
        "Permanent", "General", "hard_bounce", "hard-bounce", to=["old-friend@elsewhere.example"], **UNKNOWN_USER
    )


def _simulated(mail: Mail, draw: random.Random) -> None:
    """The mailbox simulator says what happens; all of it is counted apart and suppresses nobody."""
    name, happening = draw.choice(
        [
            ("bounce", ("send", "hard_bounce")),
            ("complaint", ("send", "delivery", "complaint")),
            ("ooto", ("send", "delivery", "out_of_office")),
        ]
    )
    mail.recipients = [f"{name}+{draw.getrandbits(32):x}@simulator.amazonses.com"]
    mail.measures = Counter(f"simulated_{measure}" for measure in happening)
    mail.rules["simulator"] += 1


STORIES: dict[Story, int] = {
    _read: 40,
    _delivered: 25,
    _unknown_user: 6,
    _bounced_late: 2,
    _sender_refused: 3,
    _complained: 4,
    _complained_and_took_it_back: 2,
    _all_at_once: 1,
    _not_spam_alone: 1,
    _out_of_office: 3,
    _soft_bounce: 4,
    _on_the_account_list: 3,
    _delayed: 3,
    _rejected: 1,
    _not_rendered: 2,
    _unsubscribed: 2,
    _two_readers_one_bounces: 2,
    _two_candidates: 1,
    _forwarded: 1,
    _simulated: 4,
}
"""What may happen to a message, and how often beside the others."""

ABOUT_NEWS_ONLY = {_read, _two_readers_one_bounces}
"""Stories with opens and clicks: order confirmations are not tracked."""

ABOUT_ORDERS_ONLY = {_delivered}
"""Of deliveries only the identity of the orders notifies."""


def plan(messages: int, seed: int, now: datetime) -> list[Mail]:
    """The messages of a run, in the order they are sent in. The same seed, number and hour give the same."""
    draw = random.Random(seed)
    told = [story for story in STORIES for _ in range(EACH_AT_LEAST)]
    told += draw.choices(list(STORIES), list(STORIES.values()), k=max(0, messages - len(told)))
    draw.shuffle(told)
    return [_mail(story, number, len(told), draw, now) for number, story in enumerate(told)]


def _mail(story: Story, number: int, of: int, draw: random.Random, now: datetime) -> Mail:
    news = story in ABOUT_NEWS_ONLY or (story not in ABOUT_ORDERS_ONLY and draw.random() < 0.8)
    campaign = draw.choice(list(GENRES))
    reader = f"reader-{draw.randrange(of // 2)}@mail.example"
    hours_ago = draw.uniform(NEWEST_HOURS, OLDEST_HOURS)
    mail = Mail(
        story=story.__name__.strip("_"),
        sender=NEWS if news else ORDERS,
        # Some are written as people write them: readers are known by the lower-cased address alone.
        recipients=[draw.choice([reader, reader, reader.title(), f'"Reader, A." <{reader}>'])],
        tags={"campaign": campaign, "genre": GENRES[campaign]} if news else {"campaign": "order-confirmation"},
        configuration_set="newsletter" if news else "receipts",
        sent_at=(now - timedelta(hours=hours_ago)).replace(microsecond=number % 1000 * 1000),
    )
    story(mail, draw)
    return mail


class CountKey(NamedTuple):
    tag: str
    value: str
    hour: datetime
    measure: str


@dataclass
class Expectation:
    """What must come of the mail."""

    counts: Counter[CountKey]
    suppressed: dict[str, str]
    """Who is on the suppression list, and the rule that put them there."""
    lifted: set[str]
    """Who was, and is no more."""


def expected(mails: Iterable[Mail]) -> Expectation:
    mails = list(mails)
    counts: Counter[CountKey] = Counter()
    for mail in mails:
        hour = mail.sent_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        domain = parseaddr(mail.sender)[1].rpartition("@")[2]
        bears = {**mail.tags, "ses:configuration-set": mail.configuration_set, "ses:from-domain": domain}
        for tag, value in bears.items():
            for measure, count in mail.measures.items():
                counts[CountKey(tag, value, hour, measure)] += count
    standing: dict[str, set[str]] = {}
    for fact in sorted(fact for mail in mails for fact in mail.facts):
        reasons = standing.get(fact.recipient, set())
        if fact.what == "not-spam":
            reasons.discard("complaint")
        else:
            standing.setdefault(fact.recipient, reasons).add(fact.what)
    # Of two reasons the bounce is told: it is the one that is harder to take back.
    suppressed = {
        recipient: "hard-bounce" if "hard-bounce" in reasons else "complaint"
        for recipient, reasons in standing.items()
        if reasons
    }
    return Expectation(+counts, suppressed, set(standing) - set(suppressed))
