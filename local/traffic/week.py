"""Plan a week of the bookshop's mail: eleven healthy campaigns and order receipts, and one campaign that goes bad.

Rates are those of ordinary senders: hard bounces below 2 %, complaints below 0.1 %. From the fifth day on, the mail of
one campaign goes to addresses that were bought.
"""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from math import log
from typing import NamedTuple

from local.traffic.mail import Mail
from local.traffic.plan import NEWSLETTER_SENDER, ORDER_SENDER
from local.traffic.stories import MAILBOX_FULL, UNKNOWN_USER

DAY, DAYS = timedelta(days=1), 7
WEEK_MESSAGES = 20_000
LAST_SEND = timedelta(minutes=2)
"""How long ago the last message was sent: it is delivered or has bounced."""

HOUR_WEIGHTS = (2, 1, 1, 1, 1, 2, 4, 7, 10, 12, 11, 9, 8, 8, 8, 8, 8, 9, 10, 11, 10, 7, 5, 3)
"""How much mail is sent in each hour of a day (UTC)."""

DOMAIN_WEIGHTS = {
    "gmail.com": 38,
    "outlook.com": 12,
    "hotmail.com": 8,
    "yahoo.com": 9,
    "icloud.com": 10,
    "gmx.de": 5,
    "web.de": 4,
    "mail.example": 14,
}
DELAYING_DOMAINS, DELAYED_DAY, DELAYED_SHARE = ("outlook.com", "hotmail.com"), 2, 0.3
"""A provider that delivers late, and on which day of the week, counted from 0."""

PRIVACY_PROXY, PROXIED_DOMAIN, PROXIED_SHARE = "Mozilla/5.0", "icloud.com", 0.9
"""The user agent of the program that loads the images of a provider's mail as soon as it arrives."""

MEDIAN_OPEN_SECONDS, OPEN_SPREAD = 3 * 3_600, 1.4
"""Of the time from delivery to the first open, which is log-normal."""

OPENED_SHARE, CLICKED_SHARE, SOFT_BOUNCED_SHARE = 0.42, 0.2, 0.006
POSITIONS = {"top": 6, "middle": 3, "footer": 1}
"""Values of the link tag `position`."""


class Rates(NamedTuple):
    """Hold shares of messages that bounce permanently and that are reported as spam."""

    bounces: float
    complaints: float


class Campaign(NamedTuple):
    """Describe the mail of a campaign within the week."""

    name: str
    messages: int
    rates: tuple[Rates, ...]
    """For each day."""
    day_weights: tuple[int, ...] = (1,) * DAYS
    genre: str = ""
    """Empty for order receipts."""


HEALTHY_CAMPAIGNS = {
    "spring-preview": "sci-fi",
    "bestsellers": "crime",
    "weekly-digest": "fiction",
    "book-club": "fiction",
    "poetry-month": "poetry",
    "cookbooks": "cooking",
    "travel-guides": "travel",
    "childrens-corner": "children",
    "author-evenings": "fiction",
    "rare-finds": "antiquarian",
    "gift-cards": "gifts",
}
"""Genre by campaign, the largest first."""

BAD_CAMPAIGN, RECEIPTS = "clearance", "order-receipts"
GOOD_RATES = Rates(0.008, 0.0004)
BAD_RATES = (*[GOOD_RATES] * 4, Rates(0.05, 0.0015), Rates(0.1, 0.0035), Rates(0.15, 0.006))
BAD_DAY_WEIGHTS = (0, 0, 0, 2, 3, 5, 10)
"""The healthy mail of its configuration set is less, so that the rates of the set are critical on the last day."""

BAD_SHARE, RECEIPTS_SHARE = 0.3, 0.37
MIN_BOUNCES, MAX_BOUNCES = 0.003, 0.02


def campaigns(messages: int = WEEK_MESSAGES) -> list[Campaign]:
    """Return the campaigns of a week. The sizes of healthy ones follow Zipf's law."""
    bad, receipts = int(messages * BAD_SHARE), int(messages * RECEIPTS_SHARE)
    largest = (messages - bad - receipts) / sum(1 / rank for rank in range(1, len(HEALTHY_CAMPAIGNS) + 1))
    step = (MAX_BOUNCES - MIN_BOUNCES) / len(HEALTHY_CAMPAIGNS)
    healthy = [
        Campaign(name, int(largest / rank), (Rates(MIN_BOUNCES + rank * step, 0.0009),) * DAYS, genre=genre)
        for rank, (name, genre) in enumerate(HEALTHY_CAMPAIGNS.items(), 1)
    ]
    clearance = Campaign(BAD_CAMPAIGN, bad, BAD_RATES, BAD_DAY_WEIGHTS, "clearance")
    return [*healthy, clearance, Campaign(RECEIPTS, receipts, (GOOD_RATES,) * DAYS)]


def plan_week(seed: int, now: datetime, messages: int = WEEK_MESSAGES) -> list[Mail]:
    """Return the messages of the week that ends now, with the events that have happened. They depend on seed, time and
    number alone."""
    rng = random.Random(seed)
    return [mail for campaign in campaigns(messages) for mail in _plan_campaign(campaign, rng, now)]


def _plan_campaign(campaign: Campaign, rng: random.Random, now: datetime) -> Iterator[Mail]:
    """Yield the messages of a campaign. Bounces and complaints are spread evenly, so that rates hold on each day."""
    total, bounces, complaints = sum(campaign.day_weights), 0.0, 0.0
    for day, (weight, rates) in enumerate(zip(campaign.day_weights, campaign.rates, strict=True)):
        for _ in range(campaign.messages * weight // total):
            mail = _mail(campaign, _sending_time(day, rng, now), rng)
            bounces, complaints = bounces + rates.bounces, complaints + rates.complaints
            if bounces >= 1:
                bounces -= 1
                mail.send()
                mail.bounce("Permanent", "General", "hard-bounce", seconds=rng.randrange(1, 30), **UNKNOWN_USER)
            elif rng.random() < SOFT_BOUNCED_SHARE:
                mail.send()
                mail.bounce("Transient", "MailboxFull", seconds=rng.randrange(1, 90), **MAILBOX_FULL)
            else:
                _deliver(mail, day, rng)
                if complaints >= 1:
                    complaints -= 1
                    mail.complain("abuse", seconds=_delay(rng))
            mail.forget_events_after(now)
            yield mail


def _mail(campaign: Campaign, sent_at: datetime, rng: random.Random) -> Mail:
    [domain] = rng.choices(list(DOMAIN_WEIGHTS), list(DOMAIN_WEIGHTS.values()))
    return Mail(
        story="week",
        sender=NEWSLETTER_SENDER if campaign.genre else ORDER_SENDER,
        recipients=[f"subscriber-{rng.getrandbits(40):x}@{domain}"],
        tags={"campaign": campaign.name} | ({"genre": campaign.genre} if campaign.genre else {}),
        configuration_set="newsletter" if campaign.genre else "receipts",
        sent_at=sent_at,
    )


def _sending_time(day: int, rng: random.Random, now: datetime) -> datetime:
    """Return a time within a day of the week, as the hours' weights have it; days end at the time of now."""
    begin = now - LAST_SEND - (DAYS - day) * DAY
    [hour] = rng.choices(range(24), HOUR_WEIGHTS)
    moment = begin.replace(hour=hour, minute=0, second=0, microsecond=0) + timedelta(seconds=rng.randrange(3_600))
    return (moment if moment >= begin else moment + DAY).replace(microsecond=rng.randrange(1_000) * 1_000)


def _deliver(mail: Mail, day: int, rng: random.Random) -> None:
    """Deliver a message, by one provider late on one day, and have newsletters opened and clicked."""
    domain, seconds = mail.recipients[0].rpartition("@")[2], rng.choice((1, 1, 2, 2, 3, 4, 8, 25))
    if domain in DELAYING_DOMAINS and day == DELAYED_DAY and rng.random() < DELAYED_SHARE:
        mail.add_event("DeliveryDelay", 300)
        seconds = rng.randrange(600, 14_000)
    mail.deliver(seconds=seconds)
    if mail.configuration_set != "newsletter":
        return
    if domain == PROXIED_DOMAIN and rng.random() < PROXIED_SHARE:
        mail.add_event("Open", seconds + rng.randrange(1, 40), userAgent=PRIVACY_PROXY)
    if rng.random() < OPENED_SHARE:
        _open_and_click(mail, seconds + _delay(rng), rng)


def _open_and_click(mail: Mail, seconds: int, rng: random.Random) -> None:
    """Open a message once or repeatedly, and click some of its links after the first open."""
    opened_at = seconds
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3))):
        mail.add_event("Open", opened_at)
        opened_at += rng.randrange(60, 40_000)
    if rng.random() < CLICKED_SHARE:
        for position in dict.fromkeys(rng.choices(list(POSITIONS), list(POSITIONS.values()), k=2)):
            link = f"https://bookshop.example/{mail.tags['campaign']}/{position}"
            mail.add_event("Click", seconds + rng.randrange(5, 300), link=link, linkTags={"position": [position]})


def _delay(rng: random.Random) -> int:
    """Return the seconds until a person reads a message."""
    return 45 + int(rng.lognormvariate(log(MEDIAN_OPEN_SECONDS), OPEN_SPREAD))
