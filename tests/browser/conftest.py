import os
from collections.abc import Generator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.integration.conftest import pipeline

__all__ = ["pipeline"]

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
ARGUMENTS += ["--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="session")
def browser() -> Generator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Generator[Page]:
    """Open a page whose script must not fail, and whose content must not break its security policy."""
    page = browser.new_context().new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: "Content Security" in message.text and errors.append(message.text))
    yield page
    page.context.close()
    assert errors == [], "the page's script failed"
