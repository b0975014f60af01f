"""Render one value of a tag."""

from datetime import timedelta
from typing import Any
from xml.etree.ElementTree import Element

from aftersend.counting import PROVIDER
from aftersend.dashboard.campaign import Campaign, Feedback, choose
from aftersend.dashboard.span import Span, span_of
from aftersend.metrics.reputation import Reputation
from aftersend.metrics.tag_table import ByHour
from aftersend.operations.feedback_listing import feedback_values
from aftersend.suppression import Policy
from tests.counter_widgets import HOUR, NOW, ONE_HOUR, SCRIPT, SHOW, TRACKED, html, mail, rendered, rows, shown, tags
from tests.event_factory import a_bounce

DAY = timedelta(days=1)
NONE = Feedback((), is_complete=True)
GOOD = mail(2_000, 10, unique_opens=600, unique_clicks=60, open=700, open_proxy=300, click_scanner=40)
BAD = mail(1_000, 200)
WEEK = {HOUR - number * ONE_HOUR: GOOD for number in range(50, 168)} | {
    HOUR - number * ONE_HOUR: BAD for number in range(50)
}


def panel(
    by_hour: ByHour,
    value: str = "spring",
    tag: str = "campaign",
    feedback: Feedback | None = NONE,
    span: Span | None = None,
) -> Element:
    campaign = Campaign(tag, value, span or span_of(NOW - 7 * DAY, NOW), by_hour, Reputation(), "prod", SHOW)
    return rendered(campaign.render(TRACKED, feedback))


def labels(element: Element) -> list[str]:
    return [each.get("aria-label", "") for each in element.iter("svg")]


def listed(**given: Any) -> Feedback:
    return Feedback([feedback_values(a_bounce(**given), Policy())], is_complete=False)


def test_banner_says_how_bad_it_is_and_since_when():
    text = shown(panel(WEEK))
    assert "Critical: spring: bounce rate 20.0 % (400 of 2,000 sent in 1 hour) is 10 % or more" in text
    assert "The bounce rate was first high with the mail of 12 Mar 2026 08:00 to 09:00 UTC." in text
    assert "complaint rate was" not in text


def test_healthy_campaign_has_no_since():
    text = shown(panel({HOUR: GOOD}))
    assert "Healthy: spring: bounce rate 0.5 %" in text
    assert "first high" not in text


def test_first_hours_are_judged_with_the_day_before():
    span = span_of(NOW - ONE_HOUR, NOW)
    before = {HOUR - number * ONE_HOUR: mail(1_000, 300) for number in range(2, 10)}
    text = shown(panel(before | {HOUR - ONE_HOUR: mail(10), HOUR: mail(10)}, span=span))
    assert "first high with the mail of 14 Mar 2026 08:00 to 09:00 UTC" in text


def test_charts_state_their_figures():
    sent, bounces, complaints, funnel = labels(panel(WEEK))
    assert sent == "286,000 sent, 274,820 delivered"
    assert bounces == "Bounce rate over time, at most 20.00 % at 14 Mar; thresholds at 5 % and 10 %"
    assert complaints == "Complaint rate over time, at most 0.00 % at 14 Mar; thresholds at 0.1 % and 0.5 %"
    assert funnel == "sent 286,000, delivered 274,820 · 96.1 %, opened 70,800 · 25.8 %, clicked 7,080 · 2.6 %"


def test_machines_are_apart():
    assert "In no stage are machines' opens (300) and clicks (40)." in shown(panel({HOUR: GOOD}))


def test_rate_of_sends_that_are_not_counted_yet_is_unknown():
    panel_ = panel({HOUR: {"send": 10, "hard_bounce": 40}})
    assert labels(panel_)[1].startswith("Bounce rate over time, not known;")
    assert rows(panel_)[0] == ["Hard bounce", "40", "-"]


def test_bounces_are_listed_by_class():
    table = rows(panel({HOUR: mail(1_000, 5, 1, hard_bounce_no_email=20, mailbox_full=3)}))
    assert table == [
        ["Hard bounce: no such address", "20", "2.00 %"],
        ["Hard bounce", "5", "0.50 %"],
        ["Soft bounce: mailbox full", "3", "0.30 %"],
        ["Complaint", "1", "0.10 %"],
    ]
    assert "No bounces and no complaints." in shown(panel({HOUR: mail(1_000)}))


def test_who_bounced_is_listed_with_the_reason_and_opens_the_recipient():
    element = panel({HOUR: BAD}, feedback=listed(diagnostic_code=f"550 {SCRIPT} {'x' * 300}"))
    row = rows(element)[-1]
    assert row[:4] == ["reader@mail.example", "14 Mar 2026 09:26", "Bounce Permanent/General", "hard-bounce"]
    assert len(row[4]) < 170
    assert '{"panel": "recipient", "query": "reader@mail.example"}' in [
        each.text for each in element.iter("cwdb-action")
    ]
    assert "script" not in tags(html(element))


def test_commands_list_all_feedback_and_the_links():
    text = shown(panel({HOUR: BAD | {"unique_clicks": 3}}, "o'spring", feedback=listed()))
    times = "--env prod --since 2026-03-07T09:00Z --until 2026-03-14T10:00Z"
    assert f"""There may be more. All of them: aftersend feedback --tag 'campaign=o'"'"'spring' --csv {times}""" in text
    assert f"""aftersend report links 'campaign=o'"'"'spring' {times}""" in text


def test_feedback_too_old_to_be_found_is_said():
    assert "is not found among the newest events" in shown(panel({HOUR: BAD}, feedback=Feedback((), is_complete=False)))


def test_mailbox_provider_has_neither_opens_nor_feedback():
    element = panel({HOUR: BAD}, "gmail", PROVIDER, None)
    assert labels(element)[-1] == "sent 1,000, delivered 800 · 80.0 %"
    assert "aftersend" not in shown(element).replace(PROVIDER, "")


def test_value_without_mail_says_so_and_has_a_way_back():
    element = panel({}, SCRIPT)
    assert "no mail is counted. Choose a longer time range." in shown(element)
    assert "← All values of campaign" in shown(element)
    assert "script" not in tags(html(element))


def test_simulated_mail_is_stated_and_counted_nowhere():
    text = shown(panel({HOUR: {"simulated_send": 1_200, "send": 5}}))
    assert "1,200 to the mailbox simulator are in no figure." in text


def test_largest_values_can_be_chosen():
    sends = {f"campaign-{number:03}": number for number in range(100)}
    element = rendered(choose("campaign", ["campaign", "genre"], sends, span_of(NOW - DAY, NOW), SHOW))
    options = [each.text for each in element.iter("option")]
    assert (len(options), options[0]) == (50, "campaign-099 (99 sent)")
    assert "These are the 50 values with the most mail." in shown(element)
    assert '{"panel": "campaign", "tag": "genre", "value": ""}' in [each.text for each in element.iter("cwdb-action")]


def test_nothing_to_choose_says_what_to_do():
    element = rendered(choose("campaign", ["campaign"], {}, span_of(NOW - DAY, NOW), SHOW))
    assert "Choose a longer time range, or another tag." in shown(element)
