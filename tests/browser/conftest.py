import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from aftersend.cli.dashboard_server import served
from aftersend.cli.dashboard_site import DashboardSite
from tests.integration.conftest import pipeline

__all__ = ["pipeline"]

TOKEN = "token-of-the-tests"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
ARGUMENTS += ["--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="session")
def browser() -> Generator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def served_to_pages(site: DashboardSite) -> Generator[str]:
    """Serve a dashboard to pages that have its token already, and yield its URL without it."""
    site.token = TOKEN
    with served(site) as url:
        yield url.partition("#")[0]


def new_page(browser: Browser, **options: Any) -> Page:
    """Open a page that has the token of a dashboard, as if its printed address had been opened before."""
    context = browser.new_context(**options)
    context.add_init_script(f"if (location.protocol === 'http:') localStorage.setItem('token', '{TOKEN}')")
    return context.new_page()


@pytest.fixture
def page(browser: Browser) -> Generator[Page]:
    """Open a page whose script must not fail, and whose content must not break its security policy."""
    page = new_page(browser)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: "Content Security" in message.text and errors.append(message.text))
    yield page
    page.context.close()
    assert errors == [], "the page's script failed"
