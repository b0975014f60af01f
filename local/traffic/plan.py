"""Plan the messages of a run."""

import random
from datetime import datetime, timedelta

from local.traffic.mail import Mail
from local.traffic.stories import NEWSLETTER_STORIES, ORDER_STORIES, STORIES, Story

GENRES_BY_CAMPAIGN = {
    "spring-catalogue": "sci-fi",
    "new-arrivals": "sci-fi",
    "frontier-tales": "western",
    "summer-sale": "western",
    "staff-picks": "crime",
}
NEWSLETTER_SENDER = "Moonlit Books <news@bookshop.example>"
ORDER_SENDER = "orders@orders.bookshop.example"
"""Senders with identities in environments/local.toml."""

NEWSLETTER_SHARE = 0.8

MIN_MESSAGES_PER_STORY = 6
"""Every run has at least so many messages of each story, so that a run of any size covers all of them."""

MIN_AGE_HOURS, MAX_AGE_HOURS = 2, 20
"""How long ago messages were sent. The events of all of them lie in the past."""


def plan_mails(number: int, seed: int, now: datetime) -> list[Mail]:
    """Return the messages of a run in sending order. They depend on number, seed and time alone.

    Runs with different seeds have no readers in common.
    """
    rng = random.Random(seed)
    stories = [story for story in STORIES for _ in range(MIN_MESSAGES_PER_STORY)]
    stories += rng.choices(list(STORIES), list(STORIES.values()), k=max(0, number - len(stories)))
    rng.shuffle(stories)
    readers = len(stories) // 2
    addresses = [f"reader-{seed}-{number}@mail.example" for number in range(readers)]
    return [_plan_mail(story, position, addresses, rng, now) for position, story in enumerate(stories)]


def _plan_mail(story: Story, position: int, readers: list[str], rng: random.Random, now: datetime) -> Mail:
    is_newsletter = story in NEWSLETTER_STORIES or (story not in ORDER_STORIES and rng.random() < NEWSLETTER_SHARE)
    campaign = rng.choice(list(GENRES_BY_CAMPAIGN))
    reader = rng.choice(readers)
    newsletter_tags = {"campaign": campaign, "genre": GENRES_BY_CAMPAIGN[campaign]}
    hours_ago = rng.uniform(MIN_AGE_HOURS, MAX_AGE_HOURS)
    mail = Mail(
        story=story.__name__,
        sender=NEWSLETTER_SENDER if is_newsletter else ORDER_SENDER,
        # Some addresses have capitals or a display name: they must be recognized as the same recipient.
        recipients=[rng.choice([reader, reader, reader.title(), f'"Reader, A." <{reader}>'])],
        tags=newsletter_tags if is_newsletter else {"campaign": "order-confirmation"},
        configuration_set="newsletter" if is_newsletter else "receipts",
        sent_at=(now - timedelta(hours=hours_ago)).replace(microsecond=position % 1000 * 1000),
    )
    story(mail, rng)
    return mail
