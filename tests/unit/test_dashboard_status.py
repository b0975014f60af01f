"""Render the panels about the deployment itself: status, failed records and costs."""

import re
import shlex
from datetime import UTC, datetime, timedelta
from html import unescape
from xml.etree.ElementTree import Element

import pytest

from aftersend.contract import RUNBOOK, CostTable
from aftersend.dashboard import cost, failures, status
from aftersend.dashboard.elements import widget
from aftersend.dashboard.runbook import runbook_section
from aftersend.operations.failures import KINDS, NOT_OPENED, Failure, FailureKind
from aftersend.operations.status import ALARM, Line, problems, short_name

NOW = datetime(2026, 11, 16, tzinfo=UTC)
HTML = "<script>alert(1)</script>"
WIKI = "https://wiki.example/operations"

MAIL = Line("mail", "20 messages", since=NOW - timedelta(seconds=4))
LATE = Line("archive queue", "the oldest record has waited for 33 min", True, "archivelate")
FAILED = Line("failed records", "2 quarantined-line", True, "quarantineobjects", "failures", "aftersend failures list")
SINCE = NOW - timedelta(minutes=18)
ALARMS = [
    Line(ALARM, "DkimFailed: No DKIM.", True, "dkimfailed", since=SINCE, severity="ticket"),
    Line(ALARM, "ArchiveLate: Objects wait.", True, "archivelate", since=SINCE, severity="page"),
]


def text_of(content: object) -> str:
    return "".join(content.itertext()) if isinstance(content, Element) else str(content)


def shown(*lines: Line, runbook: str = RUNBOOK) -> str:
    return widget(*status.render(lines, NOW, show="arn:show", runbook=runbook), is_dark=False)


def first_sentence(*lines: Line) -> tuple[str, str]:
    banner = next(iter(status.render(lines, NOW, show="arn:show", runbook=RUNBOOK)))
    assert isinstance(banner, Element)
    return text_of(banner), banner.get("class", "")


def test_healthy_deployment_says_so_and_when_events_arrived():
    assert first_sentence(MAIL) == ("Healthy. Events last arrived 4 s ago.", "banner good")
    assert first_sentence(MAIL._replace(since=None))[0] == "Healthy. No event has arrived within a day."


def test_first_sentence_counts_what_needs_attention_and_has_its_urgency():
    assert first_sentence(MAIL, FAILED) == (
        "1 thing needs attention. Events last arrived 4 s ago.",
        "banner warn",
    )
    assert first_sentence(MAIL, LATE, *ALARMS)[1] == "banner bad"


def test_cause_that_an_alarm_and_a_figure_show_is_one_thing_with_the_time_and_urgency_of_the_alarm():
    marked = problems([MAIL, FAILED, LATE, *ALARMS])
    assert [line.text for line in marked] == [LATE.text, FAILED.text, ALARMS[0].text]
    assert (marked[0].since, marked[0].severity) == (SINCE, "page")


def test_attention_leads_to_the_runbook_the_panel_and_the_command():
    html = shown(MAIL, FAILED, runbook=WIKI)
    assert f'href="{WIKI}#quarantineobjects"' in html
    assert '{"panel": "failures", "back": "status"}' in html
    assert "<code>aftersend failures list</code>" in html
    assert "in working hours" in html


def test_what_is_fine_is_collapsed_only_where_something_is_not():
    assert "<details>" in shown(MAIL, FAILED)
    assert "<details>" not in shown(MAIL)


@pytest.mark.parametrize("base", [WIKI, "http://wiki.example/x?page=2", "/runbook"])
def test_runbook_is_linked_where_it_is_published(base: str):
    link = runbook_section(base, "archivelate")
    assert (link.tag, link.get("href"), link.get("rel")) == ("a", f"{base}#archivelate", "noreferrer")


@pytest.mark.parametrize(
    "base", [RUNBOOK, "", "javascript:alert(1)", "//evil.example", "data:text/html,x", "https://a b"]
)
def test_runbook_is_named_where_it_cannot_be_linked(base: str):
    named = runbook_section(base, "archivelate")
    assert (named.tag, text_of(named)) == ("small", "docs/operations.md, archivelate")


def test_names_of_constructs_are_taken_from_physical_names():
    assert short_name("Aftersend-prod-eu-Pipeline-ArchiveLate-1A2B") == "ArchiveLate"


def test_values_are_shown_as_text():
    hostile = FAILED._replace(text=HTML, name=HTML, command=HTML)
    record = Failure(FailureKind.FIREHOSE, HTML, HTML, "", NOW)
    costs = CostTable((0, 1_000), {HTML: (1.0, 2.0)}, HTML)
    for html in (
        shown(hostile, hostile._replace(is_problem=False), runbook=f"https://wiki.example/{HTML}"),
        rendered_failures(record),
        widget(*cost.render(costs, 10, NOW, HTML), is_dark=True),
    ):
        assert "&lt;script" in html
        assert "<script" not in html


PLACES = dict.fromkeys(FailureKind, "the place")


def rendered_failures(*groups: Failure) -> str:
    content = failures.render(groups, PLACES, NOW, environment="prod", runbook=WIKI)
    return widget(*content, is_dark=False)


def test_no_failed_record_is_said_with_the_command_that_lists_them():
    html = rendered_failures()
    assert "No record has failed." in html
    assert "<code>aftersend failures list --env prod</code>" in html


def test_failed_records_have_number_reason_age_place_and_meaning():
    group = Failure(FailureKind.QUARANTINE, "quarantine/1#2", "not-json", "", NOW - timedelta(hours=26), count=12)
    html = rendered_failures(group)
    for text in ("12 records have failed.", KINDS[group.kind].meaning, "not-json", "26 h ago", "the place"):
        assert text in html
    assert "aftersend failures show 'quarantine/1#2' --env prod" in html
    assert f"{WIKI}#quarantineobjects" in html
    assert "recount" not in html


def test_commands_can_be_copied_whatever_an_id_has():
    html = rendered_failures(Failure(FailureKind.QUARANTINE, "quarantine/it's", "not-json", "", NOW))
    [shown] = [each for each in re.findall("<code>(.*?)</code>", html) if " show " in each]
    assert shlex.split(unescape(shown))[3:4] == ["quarantine/it's"]


def test_failed_batches_are_counted_by_a_recount_and_what_was_not_opened_says_so():
    html = rendered_failures(
        Failure(FailureKind.BATCH, "aws/lambda/1", "Expired", "", NOW),
        Failure(FailureKind.FEEDBACK, "", NOT_OPENED, "", None, count=3_000),
    )
    assert "aftersend recount --env prod" in html
    assert "not opened: there are many" in html
    assert "3,001 records have failed." in html


def test_many_reasons_are_cut():
    groups = [Failure(FailureKind.FIREHOSE, f"key-{n}", f"reason-{n:02}", "", NOW) for n in range(50)]
    html = rendered_failures(*groups)
    assert "20 of 50 reasons are shown." in html
    assert "reason-20" not in html


COSTS = CostTable((0, 1_000, 10_000), {"fixed": (3.0, 3.0, 3.0), "mail": (0.0, 1.0, 5.5)}, "prices: us-east-1, 2026")


def rendered_cost(messages: int, now: datetime = NOW) -> str:
    return widget(*cost.render(COSTS, messages, now, "prod"), is_dark=False)


@pytest.mark.parametrize(("messages", "dollars"), [(0, 0.0), (500, 0.5), (1_000, 1.0), (2_000, 1.5), (20_000, 10.5)])
def test_costs_between_two_volumes_are_on_a_straight_line(messages: int, dollars: float):
    assert cost.month_costs(COSTS, messages)["mail"] == pytest.approx(dollars)


def test_cost_is_said_so_far_and_for_the_month_as_an_estimate_with_the_largest_part_first():
    html = rendered_cost(1_000)  # half of November is over: 2,000 messages in all of it
    assert "About $2.25 so far in November, about $4.50 for the month at this rate." in html
    assert "(UTC), 1,000 sent, and" in html
    assert html.index(">fixed<") < html.index(">mail<")
    assert html.index(">mail<", html.index(">fixed<")) < html.index("33 %")


def test_first_hours_of_a_month_have_no_forecast():
    html = rendered_cost(10, NOW.replace(day=1, hour=3))
    assert "too early for a forecast" in html
    assert "at this rate" not in html


def test_month_without_mail_shows_the_costs_of_what_is_there():
    html = rendered_cost(0)
    assert "No mail was counted this month" in html
    assert "About $1.50 so far in November" in html
