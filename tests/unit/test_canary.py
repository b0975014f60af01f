"""Test which events of the canary are looked for, and when."""

from datetime import UTC, datetime, timedelta

import pytest

from aftersend.canary import EXPECTED, NEEDED_KINDS, Sent, is_due, missing_kinds
from aftersend.events import Kind

RUN = datetime(2026, 3, 14, 12, tzinfo=UTC)


def test_each_run_has_addresses_of_its_own():
    recipients = {Sent(RUN + timedelta(hours=hour), name).recipient for hour in range(48) for name in EXPECTED}
    assert len(recipients) == 48 * len(EXPECTED)
    assert Sent(RUN, "bounce").recipient == "bounce+20260314120000@simulator.amazonses.com"


@pytest.mark.parametrize(
    ("minutes", "due"), [(0, False), (14, False), (15, True), (60, True), (150, True), (151, False)]
)
def test_events_are_looked_for_from_15_minutes_on_by_the_next_two_runs(minutes: int, due: bool):
    assert is_due(Sent(RUN, "bounce"), RUN + timedelta(minutes=minutes)) is due


def test_missing_event_types_are_named():
    assert missing_kinds(Sent(RUN, "success"), set()) == ["Send", "Delivery"]
    assert missing_kinds(Sent(RUN, "success"), {Kind.SEND}) == ["Delivery"]
    assert missing_kinds(Sent(RUN, "complaint"), {Kind.SEND, Kind.DELIVERY, Kind.COMPLAINT}) == []
    assert {Kind.SEND, Kind.DELIVERY, Kind.BOUNCE, Kind.COMPLAINT} == NEEDED_KINDS
