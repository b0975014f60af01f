"""Check that the demo's week is ordinary mail with one campaign that goes bad."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from statistics import median

import pytest

from aftersend.mailbox_providers import mailbox_provider
from aftersend.metrics.reputation import Level, Reputation, judge
from local.traffic import Mail, plan_week
from local.traffic.expected_counts import PROVIDERS
from local.traffic.week import BAD_CAMPAIGN, DOMAIN_WEIGHTS, HEALTHY_CAMPAIGNS, RECEIPTS

pytestmark = pytest.mark.xdist_group("week")  # one process plans the week
NOW = datetime(2026, 3, 14, 9, 26, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def week() -> list[Mail]:
    return plan_week(7, NOW)


def seconds_of(mail: Mail, kind: str) -> list[float]:
    return [event["seconds"] for event in mail.events if event["event"] == kind]


def percent(mails: list[Mail], rule: str) -> float:
    return 100 * sum(mail.rules[rule] for mail in mails) / len(mails)


def verdicts(mails: list[Mail], now: datetime) -> dict[str, Level]:
    """Return the worst verdict on each campaign and configuration set."""
    by_value: dict[str, dict[datetime, Counter[str]]] = {}
    for mail in mails:
        measures = Counter(send=1, hard_bounce=mail.rules["hard-bounce"], complaint=mail.rules["complaint"])
        for value in (mail.tags["campaign"], mail.configuration_set):
            hour = mail.sent_at.replace(minute=0, second=0, microsecond=0)
            by_value.setdefault(value, {}).setdefault(hour, Counter()).update(measures)
    return {value: judge(by_hour, now, Reputation())[0].level for value, by_hour in by_value.items()}


def test_same_seed_plans_the_same_week(week: list[Mail]):
    assert plan_week(7, NOW, 500) == plan_week(7, NOW, 500)
    assert plan_week(7, NOW, 500) != plan_week(8, NOW, 500)
    assert 19_900 <= len(week) <= 20_000
    assert 48_000 <= sum(len(mail.events) for mail in week) <= 60_000


def test_no_event_is_in_the_future_or_before_the_week(week: list[Mail]):
    for mail in week:
        assert NOW - 8 * DAY < mail.sent_at <= NOW
        assert all(mail.sent_at + timedelta(seconds=event["seconds"]) <= NOW for event in mail.events)
        assert all(evidence.occurred_at <= NOW for evidence in mail.evidence)


@pytest.mark.parametrize("campaign", [*HEALTHY_CAMPAIGNS, RECEIPTS])
def test_healthy_campaign_has_ordinary_rates(campaign: str, week: list[Mail]):
    mails = [mail for mail in week if mail.tags["campaign"] == campaign]
    assert len(mails) > 150
    assert 0.3 <= percent(mails, "hard-bounce") <= 2
    assert percent(mails, "complaint") < 0.1


def test_bad_campaign_goes_bad_from_the_fifth_day(week: list[Mail]):
    mails = [mail for mail in week if mail.tags["campaign"] == BAD_CAMPAIGN]
    days = [[mail for mail in mails if (NOW - mail.sent_at) // DAY == 6 - day] for day in range(7)]
    assert [percent(day, "hard-bounce") for day in days[3:]] == pytest.approx([0.8, 5, 10, 15], abs=1)
    assert percent(days[6], "complaint") == pytest.approx(0.6, abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "hour"), [(1, 0), (2, 7), (3, 13), (4, 23)])
def test_bad_campaign_alone_makes_its_configuration_set_critical(seed: int, hour: int):
    now = NOW.replace(hour=hour)
    levels = verdicts(plan_week(seed, now), now)
    assert {value: level for value, level in levels.items() if level > Level.HEALTHY} == {
        BAD_CAMPAIGN: Level.CRITICAL,
        "newsletter": Level.CRITICAL,
    }
    assert levels["receipts"] is Level.HEALTHY


def test_people_open_after_delivery_and_within_hours(week: list[Mail]):
    delays = []
    for mail in week:
        opens = [e["seconds"] for e in mail.events if e["event"] == "Open" and "userAgent" not in e]
        if opens:
            [delivered] = seconds_of(mail, "Delivery")
            delays.append(opens[0] - delivered)
            assert opens[0] > delivered
            assert all(clicked > opens[0] for clicked in seconds_of(mail, "Click"))
    assert 1 < median(delays) / 3_600 < 4


def test_proxy_opens_right_after_delivery(week: list[Mail]):
    for mail in week:
        for event in mail.events:
            if event.get("userAgent"):
                [delivered] = seconds_of(mail, "Delivery")
                assert event["userAgent"] == "Mozilla/5.0"
                assert 0 < event["seconds"] - delivered < 60


def test_prediction_knows_the_provider_of_every_domain():
    assert all(PROVIDERS.get(domain, "other") == mailbox_provider(f"reader@{domain}") for domain in DOMAIN_WEIGHTS)
