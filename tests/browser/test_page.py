"""The page in a browser: it is looked at, a recipient is looked up, and it follows what happens."""

import os
from collections.abc import Generator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from local.page import served
from local.pipeline import LocalPipeline
from local.traffic import expected, plan

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
ARGUMENTS += ["--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="session")
def address(pipeline: LocalPipeline) -> Generator[str]:
    with served(pipeline) as found:
        yield found


@pytest.fixture
def page() -> Generator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        found = browser.new_page()
        problems: list[str] = []
        found.on("pageerror", lambda error: problems.append(str(error)))
        yield found
        browser.close()
    assert problems == [], "the page's script runs without errors"


def test_before_any_mail_the_page_says_what_to_do(page: Page, address: str):
    page.goto(address)
    expect(page.get_by_text("No mail was counted yet.")).to_be_visible()
    expect(page.get_by_text("Nobody is suppressed.")).to_be_visible()
    expect(page.get_by_role("cell", name="Feedback")).to_be_visible()


def test_the_page_follows_what_happens_and_a_recipient_can_be_looked_up(
    page: Page, address: str, pipeline: LocalPipeline
):
    page.goto(address)
    mails = list(pipeline.send(plan(1, 3, datetime.now(UTC))))
    for _ in pipeline.until_quiet():
        pass
    expect(page.get_by_role("cell", name="campaign = spring-catalogue")).to_be_visible()  # without being loaded again
    recipient = next(name for name, rule in expected(mails).suppressed.items() if rule == "complaint")
    page.get_by_label("Recipient").fill(f" {recipient.upper()} ")
    page.get_by_role("button", name="Look up").click()
    expect(page.get_by_role("heading", name=f"Timeline of {recipient}")).to_be_visible()
    expect(page.get_by_text("Suppressed everywhere by the rule complaint")).to_be_visible()
    expect(page.get_by_role("cell", name="complaint: suppresses").first).to_be_visible()
    page.get_by_label("Recipient").fill("nobody@mail.example")
    page.get_by_label("Recipient").press("Enter")
    expect(page.get_by_text("Nothing is known about this recipient.")).to_be_visible()


def test_when_the_emulator_does_not_answer_the_page_says_so(
    page: Page, address: str, pipeline: LocalPipeline, monkeypatch
):
    monkeypatch.setitem(pipeline.outputs, "FeedbackQueueUrl", f"{pipeline.emulator_url}/000000000000/gone")
    page.goto(address)
    expect(page.get_by_role("heading", name="Something is wrong")).to_be_visible()
    monkeypatch.undo()
    expect(page.get_by_role("heading", name="Something is wrong")).to_be_hidden(timeout=10_000)
