"""Render the rates of configuration sets and mailbox providers."""

from collections.abc import Sequence
from datetime import timedelta
from xml.etree.ElementTree import Element

from aftersend.counting import CONFIGURATION_SET, PROVIDER
from aftersend.dashboard.rates import Rates, render
from aftersend.metrics.guard import NOTHING, GuardState
from aftersend.metrics.reputation import Reputation, judge
from aftersend.metrics.tag_table import ByHour
from tests.counter_widgets import HOUR, NOW, ONE_HOUR, SCRIPT, SHOW, html, mail, rendered, rows, shown, tags

PAUSED = GuardState(critical_since=HOUR, paused_at=HOUR, reason="news: bounce rate 12.4 %")


def rates(name: str, by_hour: ByHour, state: GuardState = NOTHING, tag: str = CONFIGURATION_SET) -> Rates:
    return Rates(tag, name, judge(by_hour, NOW, Reputation()), state)


def panel(sets: Sequence[Rates], providers: Sequence[Rates] = (), **reputation: str) -> Element:
    return rendered(render(sets, providers, Reputation(**reputation), "prod", SHOW))  # ty: ignore[invalid-argument-type]


def test_set_has_its_rates_the_verdict_and_the_guard():
    [row] = rows(panel([rates("news", {HOUR: mail(2_000, 30, 1)})]))
    assert row[0:3] == ["news", "healthy", "1.5 % (30 of 2,000) 5 % 10 %"]
    assert row[3] == "0.05 % (1 of 2,000) 0.1 % 0.5 %"
    assert row[4] == "Bounces: 30, 1.5 % Complaints: 1, 0.05 % of 2,000 sent"
    assert row[5] == "Reports only (dry-run)"


def test_hour_without_mail_has_no_rate():
    [row] = rows(panel([rates("news", {})]))
    assert row[4] == "Bounces: 0 Complaints: 0 of 0 sent"


def test_worst_set_is_first():
    sets = [
        rates("few", {HOUR: mail(10, 5)}),
        rates("healthy", {HOUR: mail(2_000)}),
        rates("bad", {HOUR: mail(2_000, 300)}),
        rates("high", {HOUR: mail(2_000, 110)}),
    ]
    assert [row[:2] for row in rows(panel(sets))] == [
        ["bad", "critical"],
        ["high", "warning"],
        ["healthy", "healthy"],
        ["few", "too few"],
    ]


def test_last_hour_may_be_bad_before_the_day_is():
    day = {HOUR - number * ONE_HOUR: mail(5_000) for number in range(2, 24)}
    [row] = rows(panel([rates("news", day | {HOUR: mail(1_000, 200)})]))
    assert row[1] == "critical"
    assert row[4].startswith("Bounces: 200, 20.0 %, critical")


def test_rate_whose_sends_are_not_counted_yet_is_a_dash_without_a_bar():
    element = panel([rates("news", {HOUR: {"send": 10, "hard_bounce": 40}})])
    [row] = rows(element)
    assert (row[1], row[2]) == ("too few", "- (40 of 10)")
    assert [each.get("aria-label") for each in element.iter("svg")] == ["complaint rate 0.00 %, too few"]


def test_paused_set_says_since_when_why_and_how_to_resume():
    [row] = rows(panel([rates("news", {HOUR: mail(2_000, 300)}, PAUSED)], guard="pause"))
    assert row[5] == (
        "paused since 14 Mar 2026 09:00 news: bounce rate 12.4 % aftersend resume news --env prod --reason REASON"
    )


def test_guard_says_what_it_would_do():
    critical = GuardState(critical_since=HOUR)
    texts = {
        mode: rows(panel([rates("news", {HOUR: mail(2_000, 300)}, critical)], guard=mode))[0][5]
        for mode in ("off", "dry-run", "pause")
    }
    assert texts == {
        "off": "Off",
        "dry-run": "Would pause: critical since 14 Mar 2026 09:00 The guard only reports: dry-run.",
        "pause": "Pauses soon: critical since 14 Mar 2026 09:00",
    }


def test_ten_worst_providers_are_shown():
    providers = [rates(f"provider-{n:02}", {HOUR: mail(2_000, n)}, tag=PROVIDER) for n in range(12)]
    quiet = rates("quiet", {HOUR - timedelta(days=3): mail(9)}, tag=PROVIDER)
    table = rows(panel([rates("news", {HOUR: mail(2_000)})], [*providers, quiet]))
    assert [row[0] for row in table[1:]] == [f"provider-{n:02}" for n in range(11, 1, -1)]


def test_environment_without_mail_or_sets_says_what_to_do():
    assert "aftersend send --env prod" in shown(panel([rates("news", {})]))
    assert "no configuration set: add one to its file" in shown(panel([]))


def test_names_are_text():
    page = html(panel([rates(SCRIPT, {HOUR: mail(2_000, 300)}, PAUSED)]))
    assert "script" not in tags(page)
