"""Verify that an image of the ledger's stream is decoded as far as counting depends on it."""

import pytest

from aftersend import ledger
from aftersend.aws.ledger_image import countable_event
from aftersend.aws.serialization import serialize
from aftersend.counting import Counted, contributions
from aftersend.events import Event, Kind
from tests.event_factory import a_bounce, a_complaint, an_event, an_out_of_office_reply

EVERY_MEASURE = [
    *(an_event(kind) for kind in Kind if kind not in (Kind.BOUNCE, Kind.COMPLAINT)),
    a_bounce(),
    a_bounce(tags={}),
    a_bounce(status="5.7.1"),
    a_bounce(subtype="OnAccountSuppressionList"),
    a_bounce("Transient", "MailboxFull"),
    a_bounce(recipient="bounce@simulator.amazonses.com"),
    an_out_of_office_reply(),
    a_bounce("Transient", "General", action="failed"),
    a_complaint(),
    a_complaint("not-spam"),
    a_complaint(None, complaint_subtype="OnAccountSuppressionList"),
]


@pytest.mark.parametrize("counted", [Counted(tags=("campaign",)), Counted(simulator="real")])
@pytest.mark.parametrize("event", EVERY_MEASURE, ids=lambda event: event.kind)
def test_image_has_everything_that_counting_depends_on(event: Event, counted: Counted):
    image = serialize(ledger.attributes(event) | {"schema": 1})
    assert contributions(countable_event(image, counted.names), counted) == contributions(event, counted)


def test_image_of_a_newer_version_fails_the_batch_until_that_version_is_deployed():
    with pytest.raises(ledger.NewerSchema):
        countable_event(serialize(ledger.attributes(a_bounce()) | {"schema": 2}), ())
