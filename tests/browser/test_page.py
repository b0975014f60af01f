"""Use the deployed dashboard in a browser, as the demo serves it: each test is what an operator wants to know or do."""

from collections import Counter
from collections.abc import Generator
from datetime import UTC, datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from aftersend.aws.counters_table import CountersTable
from aftersend.cli.dashboard_site import DashboardSite
from aftersend.counting import START, Row
from local.pipeline import LocalPipeline
from local.traffic import Mail, plan_mails
from local.traffic.stories import UNKNOWN_USER
from tests.browser.conftest import served_to_pages

ALARM = "FeedbackLate"
ANSWER_MILLISECONDS = 60_000
"""The emulator starts a process for a function's first invocations, on a machine that may have other work."""

EVIL = '<img src="x" onerror="document.title=1">'
BOUNCED = "evil@mail.example"
BUSY_TAG = "busy<script>document.title=2</script>"

expect.set_options(timeout=ANSWER_MILLISECONDS)


@pytest.fixture(scope="session")
def url(pipeline: LocalPipeline) -> Generator[str]:
    """Send some mail, one message with HTML in its diagnostic code, and serve the dashboard."""
    sent_at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    mail = Mail("evil", "news@bookshop.example", [BOUNCED], {"campaign": "spring"}, "newsletter", sent_at)
    mail.send()
    mail.bounce("Permanent", "General", "hard-bounce", **UNKNOWN_USER | {"diagnosticCode": f"smtp; 550 {EVIL}"})
    for _ in pipeline.send([*plan_mails(1, 3, datetime.now(UTC)), mail]):
        pass
    for _ in pipeline.wait_until_processed():
        pass
    counters = CountersTable(pipeline.ses.emulator_client("dynamodb"), pipeline.outputs["CountersTableName"])
    row = Row("campaign", BUSY_TAG, sent_at.replace(minute=0, second=0))
    counters.commit("shard-of-the-test", None, START, Counter({(row, "send"): 5_000, (row, "delivery"): 4_990}))
    with served_to_pages(DashboardSite(pipeline.deployment(), allow_changes=True)) as url:
        yield url


def look_up(page: Page, wanted: str) -> None:
    page.get_by_label("Address, its beginning").fill(wanted)
    page.get_by_role("button", name="Look up").click()


def test_every_panel_and_graph_is_shown(page: Page, url: str):
    page.goto(url)
    expect(page.locator(".loading")).to_have_count(0)
    assert page.get_by_role("alert").filter(has_text="failed").all_inner_texts() == []
    expect(page.get_by_role("img", name="Sent and delivered: ")).to_be_visible()
    expect(page.get_by_text("a month at this rate").or_(page.get_by_text("for the month"))).to_be_visible()
    expect(page).to_have_title("Healthy · local")


def test_recipient_is_looked_up_explained_and_let_back_in(page: Page, url: str, pipeline: LocalPipeline):
    page.goto(url)
    look_up(page, f" {BOUNCED.upper()} ")
    panel = page.locator("[data-panel=recipient]")
    expect(panel.get_by_text("Suppressed everywhere: hard-bounce since")).to_be_visible()
    expect(panel.get_by_text("Lifted by: An operator removes the address.")).to_be_visible()
    expect(panel.get_by_text(f"smtp; 550 {EVIL}")).to_be_visible()
    panel.get_by_label("Your name").fill("Ada")
    panel.get_by_label("Reason").fill(EVIL)
    panel.get_by_role("button", name="Remove everywhere").click()
    page.get_by_role("button", name="Confirm", exact=True).click()
    expect(panel.get_by_text("Not suppressed.")).to_be_visible()
    assert {entry.recipient: entry.lifted_by for entry in pipeline.result().entries.values()}[BOUNCED]
    page.reload()
    expect(panel.get_by_text("Not suppressed.")).to_be_visible()
    expect(page).to_have_title("Healthy · local")


def test_message_is_looked_up_by_its_id(page: Page, url: str, pipeline: LocalPipeline):
    message_id = pipeline.events_for(BOUNCED)[0].message_id
    assert message_id
    page.goto(f"{url}#recipient={message_id}")
    panel = page.locator("[data-panel=recipient]")
    expect(panel.get_by_role("heading", name=f"Message {message_id}")).to_be_visible()
    panel.get_by_role("button", name=BOUNCED).click()
    expect(panel.get_by_role("heading", name=BOUNCED)).to_be_visible()


def test_tag_values_are_sorted_filtered_and_opened(page: Page, url: str):
    page.goto(url)
    panel = page.locator("[data-panel=tags]")
    panel.get_by_label("Order").select_option(label="most mail first")
    panel.get_by_role("button", name="Show", exact=True).click()
    expect(panel.get_by_role("rowheader").first).to_contain_text(BUSY_TAG)
    panel.get_by_label("Search").fill("summer")
    panel.get_by_label("Search").press("Enter")
    expect(panel.get_by_role("rowheader")).to_have_text(["summer-sale"], use_inner_text=True)
    panel.get_by_role("button", name="summer-sale").click()
    expect(panel.get_by_text("← All")).to_be_visible()
    page.go_back()
    expect(panel.get_by_role("rowheader")).to_have_text(["summer-sale"], use_inner_text=True)


def test_html_in_a_tag_value_is_shown_as_text(page: Page, url: str):
    page.goto(url)
    page.locator("[data-panel=tags]").get_by_role("button", name=BUSY_TAG).click()
    expect(page.locator("[data-panel=tags] .banner").filter(has_text=BUSY_TAG).first).to_be_visible()
    expect(page).to_have_title("Healthy · local")


def test_range_without_mail_shows_none(page: Page, url: str):
    page.goto(f"{url}#from=2026-03-14T06:00&to=2026-03-14T11:00")
    sent = page.locator("section").filter(has=page.get_by_role("heading", name="Sent and delivered", level=2))
    expect(sent.get_by_text("There is no data here")).to_be_visible()
    page.get_by_label("Time range").select_option("Last 7 days")
    expect(sent.get_by_role("img")).to_be_visible()


def test_alarm_leads_to_its_section_of_the_runbook(page: Page, url: str, pipeline: LocalPipeline):
    cloudwatch = pipeline.ses.emulator_client("cloudwatch")
    alarms = cloudwatch.get_paginator("describe_alarms").paginate().search("MetricAlarms[].AlarmName")
    alarm = next(name for name in alarms if f"-{ALARM}" in name or ALARM in name)
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="A test")
    page.goto(url)
    expect(page).to_have_title("1 thing needs attention · local")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Runbook").and_(page.get_by_title(ALARM.lower())).click()
    expect(opened.value.get_by_role("heading", name=ALARM, exact=True)).to_be_in_viewport()
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="A test")
    expect(page).to_have_title("Healthy · local")  # without a reload


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_page_is_accessible(page: Page, url: str, width: int, scheme: str):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{url}#recipient={BOUNCED}")
    expect(page.locator(".loading")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    found = [each for each in Axe().run(page).response["violations"] if each["impact"] in ("serious", "critical")]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
