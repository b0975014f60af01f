"""Render the table of a tag's values."""

from collections.abc import Mapping
from datetime import timedelta
from xml.etree.ElementTree import Element

import pytest

from aftersend.counting import CONFIGURATION_SET, PROVIDER
from aftersend.dashboard.span import span_of
from aftersend.dashboard.tags import ALL, TOP, Chosen, Table
from aftersend.metrics.reputation import Reputation
from aftersend.metrics.tag_table import ByHour, Order
from tests.counter_widgets import HOUR, NOW, ONE_HOUR, SCRIPT, SHOW, TRACKED, html, mail, rendered, rows, shown, tags

TAGS = ("campaign", "link:position", CONFIGURATION_SET, PROVIDER)
DAY = timedelta(days=1)


def panel(
    sums: Mapping[str, ByHour],
    tag: str = "campaign",
    search: str = "",
    sort: Order = Order.WORST,
    *,
    is_all: bool = False,
    tracked: Mapping[str, tuple[str, ...]] = TRACKED,
    days: int = 1,
) -> Element:
    chosen, span = Chosen(tag, search, sort, is_all), span_of(NOW - days * DAY, NOW)
    return rendered(Table(chosen, TAGS, span, Reputation(), "prod", SHOW, tracked).render(sums))


HEALTHY = mail(2_000, 20, unique_opens=495, unique_clicks=99, soft_bounce=7)


def test_row_has_counts_rates_and_the_verdict_in_words():
    [row] = rows(panel({"spring": {HOUR: HEALTHY}}))
    assert row == [
        *("spring", "healthy", "2,000 none before", "", "99.0 %"),
        *("20 · 1.0 % and 7 soft", "0 · 0.00 %", "25.0 %", "5.0 %"),
    ]


def test_worst_value_is_first_and_few_messages_are_flagged():
    sums = {
        "spring": {HOUR: HEALTHY},
        "bought-list": {HOUR: mail(2_000, 300)},
        "sale": {HOUR: mail(2_000, 0, 11)},
        "friends": {HOUR: mail(5, 2)},
    }
    assert [row[:2] for row in rows(panel(sums))] == [
        ["bought-list", "critical"],
        ["sale", "critical"],
        ["spring", "healthy"],
        ["friends", "too few"],
    ]
    assert [row[0] for row in rows(panel(sums, sort=Order.NAME))] == sorted(sums)


def test_mail_that_has_just_gone_bad_is_not_hidden_by_the_week_before():
    week = {HOUR - number * ONE_HOUR: mail(2_000, 2) for number in range(3, 168)}
    [row] = rows(panel({"spring": week | {HOUR: mail(1_000, 300)}}, days=7))
    assert (row[1], row[5]) == ("critical", "630 · 0.2 %")


def test_numbers_are_compared_with_the_period_before():
    before = {HOUR - 30 * ONE_HOUR: mail(1_000, 30)}
    [row] = rows(panel({"spring": {HOUR: mail(1_500, 15)} | before}))
    assert row[2] == "1,500 +50 %"
    assert row[5] == "15 · 1.0 % before 3.0 %"
    [row] = rows(panel({"spring": {HOUR: mail(1_001)} | before}))
    assert row[2] == "1,001 as before"


def test_value_without_mail_in_the_range_is_left_out():
    assert rows(panel({"old": {HOUR - 30 * ONE_HOUR: mail(9)}, "corrected": {HOUR: {"send": 0}}})) == []


def test_rate_whose_sends_are_not_counted_yet_is_a_dash():
    [row] = rows(panel({"early": {HOUR: {"send": 10, "hard_bounce": 40}}}))
    assert (row[1], row[5]) == ("too few", "40 · -")


@pytest.mark.parametrize(
    ("tag", "tracked", "opened"),
    [
        ("campaign", {"newsletter": ()}, "not tracked"),
        ("campaign", {"newsletter": ("Open",), "receipts": ("Open",)}, "0.0 %"),
        ("campaign", {"newsletter": ("Open",), "receipts": ()}, "-"),
        (CONFIGURATION_SET, {"newsletter": ("Open",), "receipts": ()}, "not tracked"),
        (CONFIGURATION_SET, {"newsletter": (), "receipts": ("Open",)}, "0.0 %"),
    ],
)
def test_opens_that_are_not_tracked_are_distinguished_from_none(
    tag: str, tracked: Mapping[str, tuple[str, ...]], opened: str
):
    [row] = rows(panel({"receipts": {HOUR: mail(100)}}, tag, tracked=tracked))
    assert row[7] == opened


def test_providers_have_no_opens_and_link_tags_clicks_alone():
    assert len(rows(panel({"gmail": {HOUR: mail(100)}}, PROVIDER))[0]) == 7
    links = {"top": {HOUR: {"click": 30, "click_scanner": 4}}, "footer": {HOUR: {"click": 10}}}
    table = rows(panel(links, "link:position", sort=Order.NAME))
    assert table == [["footer", "", "10 none before", "25.0 %", "0"], ["top", "", "30 none before", "75.0 %", "4"]]


def test_many_values_are_cut_and_can_be_searched_or_shown():
    sums = {f"campaign-{number:04}": {HOUR: mail(100)} for number in range(1_000)}
    few = panel(sums)
    assert len(rows(few)) == TOP
    assert "20 of 1,000 values are shown. Search for others, or show 150 ." in shown(few)
    every = panel(sums, is_all=True)
    assert len(rows(every)) == ALL
    assert "150 of 1,000 values are shown. Search for others." in shown(every)
    assert len(html(every)) < 300_000
    assert len(rows(panel(sums, search="CAMPAIGN-099"))) == 10


def test_nothing_found_says_what_to_do():
    assert "Nothing was counted." in shown(panel({}))
    assert "aftersend send --env prod" in shown(panel({}))
    searched = shown(panel({"spring": {HOUR: mail(1)}}, search="autumn"))
    assert "No value of campaign has “autumn” in it. Show every value" in searched


def test_values_and_what_was_searched_for_are_text():
    page = html(panel({SCRIPT: {HOUR: mail(1)}}, search="<script>"))
    assert "script" not in tags(page)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_value_opens_its_campaign():
    [*actions] = (each for each in panel({'a "b"': {HOUR: mail(1)}}).iter("cwdb-action"))
    assert actions[-1].text == '{"panel": "campaign", "tag": "campaign", "value": "a \\"b\\""}'
    assert actions[-1].get("endpoint") == SHOW
