"""Select feedback and describe it as a row."""

from datetime import timedelta

import pytest

from aftersend.events import Kind
from aftersend.operations.feedback_listing import COLUMNS, FeedbackSelection, feedback_values, flat_values
from aftersend.suppression import Policy
from tests.event_factory import SENT, a_bounce, a_complaint, an_event

SPRING, SCIFI = ("campaign", "spring-catalogue"), ("genre", "sci-fi")
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("selection", "is_included"),
    [
        (FeedbackSelection(), True),
        (FeedbackSelection(tags=(SPRING, SCIFI)), True),
        (FeedbackSelection(tags=(SPRING, ("genre", "horror"))), False),
        (FeedbackSelection(tags=(("unknown", "sci-fi"),)), False),
        (FeedbackSelection(kinds=frozenset({Kind.BOUNCE.value, Kind.COMPLAINT.value})), True),
        (FeedbackSelection(kinds=frozenset({Kind.COMPLAINT.value})), False),
        (FeedbackSelection(since=SENT, until=SENT + SECOND), True),
        (FeedbackSelection(since=SENT + SECOND), False),
        (FeedbackSelection(until=SENT), False),
    ],
)
def test_event_is_included_if_everything_asked_for_applies(selection: FeedbackSelection, is_included: bool):
    assert selection.includes(a_bounce()) is is_included


def test_event_without_a_time_of_sending_is_included_only_if_no_time_is_asked_for():
    event = a_bounce(sent_at=None, occurred_at=SENT)
    assert FeedbackSelection().includes(event)
    assert not FeedbackSelection(since=SENT).includes(event)


def test_row_names_the_rule_of_the_policy_and_its_effect():
    default, changed = (
        feedback_values(a_complaint(), policy) for policy in (Policy(), Policy(effects={"complaint": "none"}))
    )
    assert (default["rule"], default["effect"]) == ("complaint", "suppress")
    assert (changed["rule"], changed["effect"]) == ("complaint", "none")


def test_flat_row_has_every_column_as_text():
    values = feedback_values(a_bounce(recipient_raw="Reader@mail.example"), Policy())
    assert tuple(values) == COLUMNS
    assert flat_values(values) == {
        "sent_at": "2026-03-14T09:26:53Z",
        "occurred_at": "2026-03-14T09:27:53Z",
        "kind": "Bounce",
        "type": "Permanent",
        "subtype": "General",
        "status": "5.1.1",
        "diagnostic_code": "",
        "recipient": "Reader@mail.example",
        "message_id": "message-1",
        "tags": "campaign=spring-catalogue genre=sci-fi",
        "rule": "hard-bounce",
        "effect": "suppress",
    }


def test_subscription_states_its_source_and_contact_list():
    event = an_event(Kind.SUBSCRIPTION, subscription_source="UnsubscribeHeader", contact_list="readers")
    values = feedback_values(event, Policy())
    assert (values["type"], values["subtype"], values["rule"]) == ("UnsubscribeHeader", "readers", "subscription")
