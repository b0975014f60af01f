"""Compare the predicted results of mail with results worked out by hand."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from local.traffic import MIN_MESSAGES_PER_STORY, STORIES, CountKey, Evidence, Mail, plan_mails, predict
from local.verification import rule_occurrences, undercovered

NOW = datetime(2026, 3, 14, 9, 26, tzinfo=UTC)
HOUR = NOW.replace(minute=0)


def a_mail(**fields: Any) -> Mail:
    defaults: dict[str, Any] = {
        "recipients": ["A. Reader <Reader@mail.example>"],
        "tags": {"genre": "sci-fi"},
        "sent_at": NOW,
    }
    return Mail(story="", sender="X <x@shop.example>", configuration_set="news", **defaults | fields)


def test_same_seed_plans_the_same_mails():
    assert plan_mails(300, 7, NOW) == plan_mails(300, 7, NOW)
    assert plan_mails(300, 7, NOW) != plan_mails(300, 8, NOW)


def test_smallest_run_has_messages_of_every_story():
    stories = Counter(mail.story for mail in plan_mails(1, 7, NOW))
    assert len(stories) == len(STORIES)
    assert set(stories.values()) == {MIN_MESSAGES_PER_STORY}


def test_smallest_run_covers_every_rule():
    for seed in range(20):
        missing = undercovered(Counter(), rule_occurrences(plan_mails(1, seed, NOW)))
        assert [subject for subject in missing if subject.startswith("rule")] == []


def test_predicted_counts_have_every_event_under_every_tag():
    mail = a_mail()
    mail.deliver()
    mail.add_event("Open", 600)
    mail.add_event("Open", 601)
    mail.add_event("Open", 9, userAgent="Mozilla/5.0")
    mail.add_event("Click", 700, linkTags={"position": ["top"]})
    tags = [("genre", "sci-fi"), ("ses:configuration-set", "news"), ("ses:from-domain", "shop.example")]
    sent = {"send": 1, "delivery": 1}
    opened = {"open": 2, "unique_opens": 1, "open_proxy": 1, "click": 1, "unique_clicks": 1}
    hourly = dict.fromkeys(tags, sent | opened) | {("aftersend:provider", "other"): sent}
    hourly[("link:position", "top")] = {"click": 1}
    times = {"delivery_within_2": 1, "open_within_600": 1, "open_within_3600": 1}
    daily = {("ses:configuration-set", "news"): times}
    assert predict([mail]).counts == {
        CountKey(*tag, hour, measure): count
        for hour, table in ((HOUR, hourly), (NOW.replace(hour=0, minute=0), daily))
        for tag, measures in table.items()
        for measure, count in measures.items()
    }


def test_predicted_suppressions_follow_from_evidence_in_order_of_time():
    evidence = [
        ("bounced", "hard-bounce"),
        ("complained", "complaint"),
        ("sorry", "complaint"),
        ("both", "complaint"),
        ("sorry", "not-spam"),
        ("both", "hard-bounce"),
        ("both", "not-spam"),
        ("nobody", "not-spam"),
    ]
    mails = [
        a_mail(evidence=[Evidence(NOW + timedelta(minutes=minute), recipient, rule)])
        for minute, (recipient, rule) in enumerate(evidence)
    ]
    expectation = predict(reversed(mails))
    assert expectation.suppressed == {"bounced": "hard-bounce", "complained": "complaint", "both": "hard-bounce"}
    assert expectation.lifted == {"sorry"}
