"""Parse what CloudWatch sends a custom widget."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aftersend.dashboard.request import DEFAULT_RANGE, MAX_VALUE_CHARACTERS, Functions, Request, parse_request

NOW = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
FUNCTIONS = Functions("arn:show", "arn:change")
BEGIN, END = NOW - timedelta(days=3), NOW - timedelta(days=1)


def milliseconds(time: datetime) -> int:
    return int(time.timestamp() * 1_000)


def parsed(**event: Any) -> Request:
    return parse_request(event, NOW, FUNCTIONS)


def test_request_of_a_dashboard_has_panel_parameters_range_and_theme():
    time_range = {"mode": "absolute", "start": milliseconds(BEGIN), "end": milliseconds(END)}
    request = parsed(
        panel="tags", tag="campaign", top=20, widgetContext={"timeRange": time_range, "theme": "dark", "width": 588}
    )
    assert request == Request(
        "tags", {"panel": "tags", "tag": "campaign", "top": "20"}, BEGIN, END, NOW, True, FUNCTIONS
    )


def test_zoom_narrows_the_time_range():
    zoom = {"start": milliseconds(END), "end": milliseconds(NOW)}
    context = {"timeRange": {"start": milliseconds(BEGIN), "end": milliseconds(NOW), "zoom": zoom}}
    request = parsed(widgetContext=context)
    assert (request.begin, request.end) == (END, NOW)


def test_unusable_zoom_leaves_the_time_range():
    context = {"timeRange": {"start": milliseconds(BEGIN), "end": milliseconds(END), "zoom": {"start": "x"}}}
    assert (parsed(widgetContext=context).begin, parsed(widgetContext=context).end) == (BEGIN, END)


def test_field_of_a_form_is_a_parameter_unless_the_action_has_it():
    fields = {"query": "  new@mail.example ", "tag": "chosen in a form that was not sent"}
    request = parsed(panel="recipient", tag="campaign", widgetContext={"forms": {"all": fields}})
    assert (request.get("query"), request.get("tag")) == ("new@mail.example", "campaign")
    assert request.get("missing") == ""


@pytest.mark.parametrize(
    "time_range",
    [
        None,
        "yesterday",
        {},
        {"start": "x", "end": 1},
        {"start": 10**20, "end": 10**21},
        {"start": milliseconds(datetime.min.replace(tzinfo=UTC)), "end": 1},
        {"start": 1, "end": milliseconds(datetime.max.replace(tzinfo=UTC))},
        {"start": milliseconds(END), "end": milliseconds(BEGIN)},
        {"start": milliseconds(END), "end": milliseconds(END)},
    ],
)
def test_unusable_time_range_is_the_last_day(time_range: object):
    request = parsed(widgetContext={"timeRange": time_range})
    assert (request.begin, request.end) == (NOW - DEFAULT_RANGE, NOW)


def test_time_range_ends_now_unless_all_of_it_is_yet_to_come():
    tomorrow, later = NOW + timedelta(days=1), NOW + timedelta(days=2)
    for begin, end in ((BEGIN, NOW), (tomorrow, later)):
        given = {"start": milliseconds(begin), "end": milliseconds(later)}
        request = parsed(widgetContext={"timeRange": given})
        assert (request.begin, request.end) == (begin, end)


@pytest.mark.parametrize("context", [None, [], "text", {"forms": []}, {"forms": {"all": "x"}}])
def test_context_of_another_shape_is_ignored(context: object):
    assert parsed(panel="status", widgetContext=context).panel == "status"


def test_runbook_is_the_one_of_the_page_alone():
    assert parsed(runbook="https://evil.example").get("runbook") == ""
    assert parsed(runbook="https://evil.example", widgetContext={"runbook": "/runbook"}).get("runbook") == "/runbook"


def test_long_values_are_cut_and_structures_left_out():
    request = parsed(panel="x" * 1_000, query={"a": 1}, none=None)
    assert request.panel == "x" * MAX_VALUE_CHARACTERS
    assert set(request.parameters) == {"panel"}
