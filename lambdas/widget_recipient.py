"""Read what the panel of a recipient, a message, or the beginning of an address shows."""

from collections.abc import Iterable, Sequence
from itertools import islice

from aftersend.aws.account_list import AccountList
from aftersend.aws.clients import PACE_SECONDS
from aftersend.aws.deployed_recorder import deployed_settings, deployed_suppressions
from aftersend.aws.deployment import Deployment
from aftersend.aws.feedback_indexes import FeedbackIndexes
from aftersend.aws.ledger_table import LedgerTable
from aftersend.aws.recipient_explanation import explain_deployed
from aftersend.aws.suppression_check import recipient_of
from aftersend.dashboard import recipient as panel
from aftersend.dashboard.elements import Content
from aftersend.dashboard.recipient import MAX_EVENTS, MESSAGE_ID, MIN_BEGINNING, Place
from aftersend.dashboard.request import Request
from aftersend.events import Event
from aftersend.parsing.addresses import bare_address
from aftersend.suppression.explanation import timeline

MAX_FEEDBACK = 500
"""Events of a message that are read."""

MAX_FOUND, MAX_PAGES = 20, 8
"""Recipients that begin with a text, and pages of 1 MB, about 700 entries each, that are searched for them."""


def show(request: Request, deployment: Deployment) -> Iterable[Content]:
    """Return the content of the panel, whatever was entered."""
    place, value = Place(request, deployment.name), panel.wanted(request)
    return [*panel.search(place, value), *_content(place, deployment, value)]


def _content(place: Place, deployment: Deployment, value: str) -> Iterable[Content]:
    if not value:
        return panel.nothing_wanted()
    if place.request.get("message") == value or MESSAGE_ID.fullmatch(value):
        return _message(place, deployment, value)
    if recipient_of(value) and not place.request.get("as_beginning"):
        return _recipient(place, deployment, bare_address(value))
    if len(value) < MIN_BEGINNING or any(character.isspace() for character in value) or value.count("@") > 1:
        return panel.invalid(value)
    return _beginning(place, deployment, value.lower())


def newest_events(ledger: LedgerTable, recipient: str) -> Sequence[Event]:
    """Return the events of a recipient that the panel shows."""
    return ledger.newest_for(recipient, MAX_EVENTS)


def _recipient(place: Place, deployment: Deployment, address: str) -> Iterable[Content]:
    account_list = AccountList(deployment.client("sesv2"), pace_seconds=PACE_SECONDS)
    explanation = explain_deployed(deployment, address, account_list, place.request.now, newest_events)
    return panel.recipient(place, address, explanation, MAX_EVENTS)


def _message(place: Place, deployment: Deployment, message_id: str) -> Iterable[Content]:
    indexes = FeedbackIndexes(deployment.client("dynamodb"), deployment.output("LedgerTableName"))
    events = list(islice(indexes.of_message(message_id), MAX_FEEDBACK))
    return panel.message(place, message_id, timeline(events, (), deployed_settings(deployment).policy))


def _beginning(place: Place, deployment: Deployment, text: str) -> Iterable[Content]:
    table = deployed_suppressions(deployment)
    entries, is_complete = table.beginning_with(text, max_pages=MAX_PAGES, max_entries=MAX_FOUND)
    return panel.beginning(place, text, entries, is_complete=is_complete)
