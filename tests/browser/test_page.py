"""Use the page in a browser: look at it, wait for its updates, open a recipient's timeline."""

import os
from collections.abc import Generator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from local.page import served_page
from local.pipeline import LocalPipeline
from local.traffic import plan_mails, predict

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
ARGUMENTS += ["--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="session")
def page_url(pipeline: LocalPipeline) -> Generator[str]:
    with served_page(pipeline) as url:
        yield url


@pytest.fixture
def page() -> Generator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
        browser.close()
    assert errors == [], "the page's script failed"


def test_page_before_any_mail_says_what_to_do(page: Page, page_url: str):
    page.goto(page_url)
    expect(page.get_by_text("No mail has been counted yet.")).to_be_visible()
    expect(page.get_by_text("No recipient has been suppressed yet.")).to_be_visible()
    expect(page.get_by_role("cell", name="Feedback")).to_be_visible()


def test_page_updates_itself_and_shows_the_timeline_of_a_recipient(
    page: Page, page_url: str, pipeline: LocalPipeline
):
    page.goto(page_url)
    mails = list(pipeline.send(plan_mails(1, 3, datetime.now(UTC))))
    for _ in pipeline.wait_until_processed():
        pass
    expect(page.get_by_role("cell", name="campaign = spring-catalogue")).to_be_visible()  # without a reload
    recipient = next(name for name, rule in predict(mails).suppressed.items() if rule == "complaint")
    page.get_by_label("Recipient").fill(f" {recipient.upper()} ")
    page.get_by_role("button", name="Show timeline").click()
    expect(page.get_by_role("heading", name=f"Timeline of {recipient}")).to_be_visible()
    expect(page.get_by_text("Suppressed everywhere by the rule complaint")).to_be_visible()
    expect(page.get_by_role("cell", name="complaint: suppresses").first).to_be_visible()
    page.get_by_label("Recipient").fill("nobody@mail.example")
    page.get_by_label("Recipient").press("Enter")
    expect(page.get_by_text("There are no events for this recipient.")).to_be_visible()


def test_page_says_when_the_emulator_does_not_answer(
    page: Page, page_url: str, pipeline: LocalPipeline, monkeypatch
):
    monkeypatch.setitem(pipeline.outputs, "FeedbackQueueUrl", f"{pipeline.run.endpoint}/000000000000/gone")
    page.goto(page_url)
    expect(page.get_by_role("heading", name="The results cannot be shown")).to_be_visible()
    monkeypatch.undo()
    expect(page.get_by_role("heading", name="The results cannot be shown")).to_be_hidden(timeout=10_000)
