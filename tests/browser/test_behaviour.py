"""Use the page in a browser, with a dashboard whose functions are those of this test."""

from collections.abc import Generator, Mapping
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from aftersend.cli import dashboard_site
from aftersend.cli.dashboard_site import DashboardSite
from aftersend.dashboard.elements import Action, Cell, banner, button, element, field, form, link, table, widget
from tests.browser.conftest import TOKEN, new_page, served_to_pages
from tests.dashboard_stub import ARN, CHANGE, SHOW, Clients, custom, deployment, metric

EVIL = '<img src="x" onerror="document.title=1"><script>document.title = 2</script>'
RAW = (
    '<div class="aftersend" data-theme="light"><a href="javascript:document.title=3" onclick="document.title=4">raw</a>'
    '<iframe src="/"></iframe><svg><use href="#a"></use><rect style="fill:var(--bar)" width="9" height="9"></rect></svg>'
    '<a role="button" tabindex="0">More</a><cwdb-action action="html" display="popup"><p>The whole id</p></cwdb-action>'
    "</div>"
)


class Dashboard:
    """What the functions of the dashboard answer, and how often they were asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.names = ["summer", "spring", "winter"]
        self.removed: list[str] = []
        self.failure = self.problem = ""

    def show(self, event: Mapping[str, Any]) -> str:
        self.asked += 1
        if self.failure:
            raise ValueError(self.failure)
        if self.problem:
            failure = banner("This cannot be shown.", element("p", self.problem), tone="bad")
            failure.set("data-failed", "")
            return widget(failure, is_dark=False)
        content = getattr(self, event["panel"])(event, {**event, **event["widgetContext"]["forms"]["all"]})
        return content if isinstance(content, str) else widget(*content, is_dark=False)

    def status(self, *_: Any) -> list[Any]:
        alarm = element("p", element("a", "FeedbackLate", href="/runbook#feedbacklate"))
        return [banner("2 things need attention", alarm, tone="bad")]

    def tags(self, _: Any, given: Mapping[str, str]) -> list[Any]:
        search, action = given.get("search", ""), Action(ARN + SHOW, {"panel": "tags"})
        names = [name for name in self.names if search in name]
        rows = [[Cell.of(*link(name, self._campaign(name))), Cell.of(str(self.asked))] for name in names]
        details = element("details", element("summary", "More"), element("p", "The details"))
        return [
            form([field("Search", "search", search)], "Filter", action),
            table("Campaigns", ["campaign", "sent"], rows),
            details,
        ]

    def _campaign(self, name: str) -> Action:
        return Action(ARN + SHOW, {"panel": "campaign", "value": name})

    def campaign(self, _: Any, given: Mapping[str, str]) -> list[Any]:
        back = link("← All tags", Action(ARN + SHOW, {"panel": "tags"}))
        return [*back, element("h3", f"Campaign {given['value']}")]

    def recipient(self, event: Mapping[str, Any], given: Mapping[str, str]) -> list[Any]:
        query = given.get("query", "")
        length = event["widgetContext"]["timeRange"]["end"] - event["widgetContext"]["timeRange"]["start"]
        removal = Action(ARN + CHANGE, {"change": "remove", "address": query}, confirmation=f"Remove {query}?")
        lookup = form([field("Recipient", "query", query)], "Look up", Action(ARN + SHOW, {"panel": "recipient"}))
        return [lookup, element("p", f"{query} in {length // 3_600_000} h"), *(button("Remove", removal) if query else ())]

    def raw(self, *_: Any) -> str:
        return RAW

    def change(self, event: Mapping[str, Any]) -> str:
        self.removed.append(event["address"])
        return widget(banner("Removed.", tone="good"), is_dark=False)


@pytest.fixture
def dashboard() -> Dashboard:
    return Dashboard()


@pytest.fixture
def url(dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch) -> Generator[str]:
    monkeypatch.setattr(dashboard_site, "REFRESH_SECONDS", 0.3)
    widgets = [
        custom("status", "Status"),
        custom("recipient", "Look up"),
        custom("tags", "Mail by tag"),
        custom("raw", "Raw"),
        metric("Sent", ["Aftersend", "send", {"label": "news"}]),
    ]
    clients = Clients(widgets, {SHOW: dashboard.show, CHANGE: dashboard.change})
    with served_to_pages(DashboardSite(deployment(clients), allow_changes=True)) as url:
        yield url


def wait_for_refreshes(page: Page, dashboard: Dashboard, panels: int = 8) -> None:
    """Wait until the page has asked for that many more panels: each at least twice, as some are not on the screen."""
    before = dashboard.asked
    for _ in range(100):
        page.wait_for_timeout(100)
        if dashboard.asked >= before + panels:
            return
    raise AssertionError("the page does not refresh")


def test_title_tells_what_the_status_says(page: Page, url: str):
    page.goto(url)
    expect(page).to_have_title("2 things need attention · shop")


def test_alarm_leads_to_its_section_of_the_runbook_and_back(page: Page, url: str):
    page.goto(url)
    page.get_by_role("link", name="FeedbackLate").click()
    expect(page.get_by_role("heading", name="FeedbackLate")).to_be_in_viewport()
    page.get_by_role("link", name="All panels").click()
    expect(page.get_by_text("2 things need attention")).to_be_visible()


def test_page_takes_the_token_out_of_the_printed_address(browser: Browser, url: str):
    page = browser.new_context().new_page()
    page.goto(url)
    expect(page.get_by_role("alert").first).to_contain_text("Open the whole address that was printed")
    page.goto(f"{url}#token={TOKEN}&recipient=reader@mail.example")
    expect(page.get_by_text("reader@mail.example in 24 h")).to_be_visible()
    assert page.url == f"{url}#recipient=reader@mail.example"
    page.reload()
    expect(page.get_by_text("reader@mail.example in 24 h")).to_be_visible()


@pytest.mark.parametrize("way", ["click", "Enter", "Space", "Enter in the field"])
def test_look_up_is_kept_in_the_address(page: Page, url: str, way: str):
    page.goto(url)
    page.get_by_label("Recipient").fill("reader@mail.example")
    pressed = page.get_by_label("Recipient") if "field" in way else page.get_by_role("button", name="Look up")
    if way == "click":
        pressed.click()
    else:
        pressed.press(way.split(maxsplit=1)[0])
    expect(page.get_by_text("reader@mail.example in 24 h")).to_be_visible()
    assert page.url == f"{url}#recipient=reader@mail.example"
    page.reload()
    expect(page.get_by_text("reader@mail.example in 24 h")).to_be_visible()
    expect(page.get_by_label("Recipient")).to_have_value("reader@mail.example")
    page.get_by_role("link", name="All panels").click()
    expect(page.get_by_text("reader@mail.example in 24 h")).to_be_hidden()
    expect(page.get_by_label("Recipient")).to_have_value("")


def test_address_with_a_plus_is_looked_up_as_it_is_written(page: Page, url: str):
    page.goto(f"{url}#recipient=reader+books@mail.example")
    expect(page.get_by_text("reader+books@mail.example in 24 h")).to_be_visible()
    page.get_by_label("Recipient").fill("Ada <ada+1@mail.example>")
    page.get_by_role("button", name="Look up").click()
    expect(page.get_by_text("Ada <ada+1@mail.example> in 24 h")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Ada <ada+1@mail.example> in 24 h")).to_be_visible()


def test_opened_campaign_refreshes_as_such_and_back_closes_it(page: Page, url: str, dashboard: Dashboard):
    page.goto(url)
    page.get_by_role("button", name="spring").click()
    expect(page.get_by_role("heading", name="Campaign spring")).to_be_visible()
    wait_for_refreshes(page, dashboard)
    expect(page.get_by_role("heading", name="Campaign spring")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Campaign spring")).to_be_hidden()
    page.go_forward()
    expect(page.get_by_role("heading", name="Campaign spring")).to_be_visible()


def test_change_is_made_after_a_confirmation_alone(page: Page, url: str, dashboard: Dashboard):
    page.goto(f"{url}#recipient=reader@mail.example")
    for answer in ("Cancel", "Confirm"):
        assert dashboard.removed == []
        page.get_by_role("button", name="Remove").click()
        expect(page.get_by_role("dialog")).to_contain_text("Remove reader@mail.example?")
        page.get_by_role("button", name=answer).click()
    expect(page.get_by_text("Removed.")).to_be_visible()
    assert dashboard.removed == ["reader@mail.example"]
    wait_for_refreshes(page, dashboard)
    expect(page.get_by_text("Removed.")).to_be_visible()
    assert dashboard.removed == ["reader@mail.example"], "refreshing changes nothing"


def test_following_live_keeps_what_a_person_does(page: Page, url: str, dashboard: Dashboard):
    page.set_viewport_size({"width": 1280, "height": 500})
    page.goto(url)
    page.get_by_text("More", exact=True).first.click()
    page.get_by_label("Recipient").fill("half-typ")
    page.get_by_role("cell", name="spring").or_(page.get_by_role("rowheader", name="spring")).select_text()
    page.get_by_role("button", name="spring").focus()
    page.mouse.wheel(0, 120)
    page.wait_for_timeout(200)
    before = page.evaluate("[scrollY, getSelection().toString(), document.activeElement.textContent]")
    assert before[0] > 0
    dashboard.names = ["autumn", "winter", "spring", "summer"]
    expect(page.locator("tbody a")).to_have_text(["autumn", "winter", "spring", "summer"])
    wait_for_refreshes(page, dashboard)
    after = page.evaluate("[scrollY, getSelection().toString(), document.activeElement.textContent]")
    assert after[1:] == before[1:] == ["spring", "spring"]
    assert abs(after[0] - before[0]) < 60, "the page scrolls at most by the row that came"
    expect(page.get_by_label("Recipient")).to_have_value("half-typ")
    expect(page.get_by_text("The details")).to_be_visible()


def test_page_does_not_refresh_unless_it_follows(page: Page, url: str, dashboard: Dashboard):
    page.goto(url)
    wait_for_refreshes(page, dashboard)
    page.get_by_label("Follow live").uncheck()
    page.wait_for_timeout(500)
    asked = dashboard.asked
    page.wait_for_timeout(1_000)
    assert dashboard.asked == asked
    page.get_by_role("button", name="Refresh").click()
    page.wait_for_timeout(1_000)
    assert dashboard.asked == asked + 4, "each panel once"


@pytest.mark.parametrize(
    ("cause", "reason", "text"),
    [
        ("failure", "Task timed out", "failed: Task timed out. Read its log. This is as of"),
        ("problem", "Query is denied.", "This cannot be shown. Query is denied. This is as of"),
    ],
)
def test_failure_keeps_the_last_content_and_says_what_to_do(
    page: Page, url: str, dashboard: Dashboard, cause: str, reason: str, text: str
):
    page.goto(url)
    expect(page.get_by_role("rowheader")).to_have_count(3)
    setattr(dashboard, cause, reason)
    alert = page.get_by_role("alert").filter(has_text=text).first
    expect(alert).to_be_visible()
    expect(page.get_by_role("rowheader")).to_have_count(3)
    setattr(dashboard, cause, "")
    expect(alert).to_be_hidden()


def test_page_says_when_its_server_has_ended(page: Page, url: str):
    page.goto(url)
    expect(page.get_by_role("rowheader")).to_have_count(3)
    page.route("**/widget", lambda route: route.abort())
    expect(page.get_by_text("Start `aftersend dashboard --env shop` again.").first).to_be_visible()


def test_range_is_chosen_and_kept(page: Page, url: str):
    page.goto(f"{url}#recipient=a")
    page.get_by_label("Time range").select_option("Last 7 days")
    expect(page.get_by_text("a in 168 h")).to_be_visible()
    page.reload()
    expect(page.get_by_text("a in 168 h")).to_be_visible()
    page.get_by_label("Time range").select_option("From … to …")
    page.get_by_label("From (UTC)").fill("2026-03-14T06:00")
    page.get_by_label("To (UTC)").fill("2026-03-14T11:00")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("a in 5 h")).to_be_visible()
    assert "from=2026-03-14T06%3A00" in page.url


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_times_are_in_utc_wherever_the_browser_is(page: Page, url: str, zone: str):
    there = new_page(page.context.browser, timezone_id=zone)
    there.goto(f"{url}#from=2026-03-14T06:00&to=2026-03-14T11:00")
    expect(there.get_by_label("From (UTC)")).to_have_value("2026-03-14T06:00")


def test_theme_is_chosen_and_kept(page: Page, url: str):
    page.emulate_media(color_scheme="dark")
    page.goto(url)
    theme = page.locator("html")
    expect(theme).to_have_attribute("data-theme", "dark")
    page.get_by_label("Theme").select_option("Light")
    expect(theme).to_have_attribute("data-theme", "light")
    page.reload()
    expect(theme).to_have_attribute("data-theme", "light")


def test_html_in_values_is_shown_as_text(page: Page, url: str, dashboard: Dashboard):
    dashboard.names = [EVIL]
    page.goto(f"{url}#recipient={EVIL}")
    expect(page.get_by_role("button", name=EVIL)).to_be_visible()
    expect(page.get_by_text(f"{EVIL} in 24 h")).to_be_visible()
    expect(page).to_have_title("2 things need attention · shop")


def test_what_could_run_is_removed_from_widgets(page: Page, url: str):
    page.goto(url)
    raw = page.locator("[data-panel=raw] .body")
    raw.get_by_text("raw").click()
    assert raw.locator("iframe, use, script, [onclick], [href]").count() == 0
    expect(raw.locator("rect")).to_have_css("fill", "rgb(74, 111, 165)")
    expect(page).to_have_title("2 things need attention · shop")


def test_details_open_over_the_page(page: Page, url: str):
    page.goto(url)
    page.locator("[data-panel=raw]").get_by_text("More").click()
    expect(page.get_by_role("dialog")).to_contain_text("The whole id")
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_be_hidden()


@pytest.mark.parametrize("path", ["", "runbook"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_accessible_and_fits_a_phone(page: Page, url: str, path: str, scheme: str):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(url + path)
    expect(page.get_by_role("heading").first).to_be_visible()
    page.wait_for_load_state("networkidle") if path else expect(page.get_by_role("rowheader")).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    found = [each for each in Axe().run(page).response["violations"] if each["impact"] in ("serious", "critical")]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
