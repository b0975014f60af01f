"""The generator's own word about what must come of the mail, held against a message worked out by hand."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from local.pipeline import rules_tried, undercovered
from local.traffic import EACH_AT_LEAST, STORIES, CountKey, Fact, Mail, expected, plan

NOW = datetime(2026, 3, 14, 9, 26, tzinfo=UTC)
HOUR = NOW.replace(minute=0)


def a_mail(**parts: Any) -> Mail:
    told: dict[str, Any] = {
        "recipients": ["A. Reader <Reader@mail.example>"],
        "tags": {"genre": "sci-fi"},
        "sent_at": NOW,
    }
    return Mail(story="", sender="X <x@shop.example>", configuration_set="news", **told | parts)


def test_a_seed_repeats_a_run():
    assert plan(300, 7, NOW) == plan(300, 7, NOW)
    assert plan(300, 7, NOW) != plan(300, 8, NOW)


def test_every_story_is_told_in_every_run():
    told = Counter(mail.story for mail in plan(1, 7, NOW))
    assert len(told) == len(STORIES)
    assert set(told.values()) == {EACH_AT_LEAST}


def test_every_rule_is_tried_in_every_run():
    for seed in range(20):
        assert [
            found for found in undercovered(Counter(), rules_tried(plan(1, seed, NOW))) if found.startswith("rule")
        ] == []


def test_what_a_message_must_be_counted_as():
    mail = a_mail()
    mail.arrives()
    mail.happens("Open", "open")
    mail.happens("Open", "open", 9)
    bears = [("genre", "sci-fi"), ("ses:configuration-set", "news"), ("ses:from-domain", "shop.example")]
    assert expected([mail]).counts == {
        CountKey(tag, value, HOUR, measure): count
        for tag, value in bears
        for measure, count in {"send": 1, "delivery": 1, "open": 2}.items()
    }


def test_who_must_be_suppressed():
    mails = []
    for number, (who, what) in enumerate(
        [
            ("bounced", "hard-bounce"),
            ("complained", "complaint"),
            ("sorry", "complaint"),
            ("both", "complaint"),
            ("sorry", "not-spam"),
            ("both", "hard-bounce"),
            ("both", "not-spam"),
            ("nobody", "not-spam"),
        ]
    ):
        mails.append(a_mail(facts=[Fact(NOW + timedelta(minutes=number), who, what)]))
    found = expected(reversed(mails))
    assert found.suppressed == {"bounced": "hard-bounce", "complained": "complaint", "both": "hard-bounce"}
    assert found.lifted == {"sorry"}
