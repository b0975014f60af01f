"""Show what is known about a recipient, a message, or the suppressed recipients that begin with some letters."""

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from xml.etree.ElementTree import Element

from aftersend.dashboard.elements import (
    Action,
    Cell,
    Content,
    banner,
    command,
    element,
    empty,
    field,
    form,
    link,
    table,
)
from aftersend.dashboard.recipient_changes import changes
from aftersend.dashboard.request import Request
from aftersend.dashboard.timeline import (
    by_message,
    by_recipient,
    event_list,
    message_facts,
    subject_of,
    whole_id,
)
from aftersend.operations.explanation import Explanation, describe_spelling
from aftersend.operations.feedback_listing import own_tags
from aftersend.suppression import Entry
from aftersend.suppression.explanation import FORGOTTEN, Moment, lifted_when, verdict

MAX_MESSAGES, MAX_RECIPIENTS = 20, 50
"""Messages that are shown first and with each "Show older"; recipients of a message that are shown."""

MAX_EVENTS = 500
"""Events of a recipient that are read of each group: deliveries, feedback, all else."""

MESSAGE_ID = re.compile(r"[0-9a-f]{8,}(-[0-9a-f]+){3,}", re.IGNORECASE)
"""What an id that SES gives a message looks like. No one has such an address without an @."""

MIN_BEGINNING = 3
"""Characters without which nearly all of the list would begin so."""

ENTERED, FIND = "entered", "find"
"""The field of the form, and the parameter of its button: links of the panel carry the field's content, too."""

PURPOSE = (
    "Shows whether mail to an address is suppressed and why, and what happened to its messages. An address may have "
    "any spelling; its beginning finds suppressed recipients; a message id finds bounces and complaints. Times are UTC."
)


class Place(NamedTuple):
    """What links and commands of the panel need."""

    request: Request
    environment: str

    def action(self, **parameters: str) -> Action:
        """Return an action that shows this panel with other parameters."""
        return Action(self.request.functions.show, {"panel": "recipient", **parameters})

    def command(self, *words: str) -> Element:
        """Return a command about this environment."""
        return command(shlex.join(["aftersend", *words, "--env", self.environment]))


def wanted(request: Request) -> str:
    """Return what is to be looked up: the form's field if its button was chosen, else what a link names."""
    given = "" if request.get(FIND) else request.get("message") or request.get("query")
    return given or request.get(ENTERED)


def search(place: Place, value: str, notice: str = "") -> Iterator[Content]:
    """Return the form that the panel begins with, and what is to be said before all else: no link may say it."""
    entered = field("Address, its beginning, or a message id", ENTERED, value, type="search", size="40")
    yield form([entered], "Look up", place.action(**{FIND: "1"}))
    if notice:
        yield banner(notice)


def nothing_wanted() -> Iterator[Content]:
    """Return what is shown before something is looked up."""
    yield element("p", PURPOSE, css="soft")


def invalid(value: str) -> Iterator[Content]:
    """Return what is wrong with what was entered."""
    sentence = f"{value!r} is no e-mail address, no beginning of one and no message id."
    advice = f"Enter one address without blanks, or at least {MIN_BEGINNING} characters that it begins with."
    yield banner(sentence, element("p", advice), tone="warn")


def recipient(place: Place, address: str, explanation: Explanation, max_events: int) -> Iterator[Content]:
    """Return what is known about a recipient: verdicts, what can be changed, and their messages, the newest first."""
    yield element("h3", address)
    yield from _verdicts(explanation)
    for spelling in explanation.listed:
        yield element("p", describe_spelling(spelling), css="" if spelling.listed or spelling.problem else "soft")
    yield from changes(place.request, place.environment, address, explanation)
    yield element("h3", "Messages and events, the newest first, in UTC")
    if explanation.moments:
        yield from _messages(place, address, explanation.moments, max_events)
    else:
        yield empty("No events of this address are recorded. Check its spelling.", *_beginning_link(place, address))


def _verdicts(explanation: Explanation) -> Iterator[Content]:
    if explanation.is_forgotten:
        yield banner(FORGOTTEN, tone="bad")
    elif explanation.problem:
        yield banner("It is not known whether the recipient was forgotten.", element("p", explanation.problem))
    for entry in explanation.in_force:
        yield banner(verdict(entry, explanation.now), *_details(entry, explanation.moments), tone="bad")
    if not explanation.is_suppressed:
        yield banner("Not suppressed.") if explanation.problem else banner("Not suppressed.", tone="good")
    for entry in explanation.entries:
        if not entry.is_in_force(explanation.now):
            yield element("p", verdict(entry, explanation.now), css="soft")


def _details(entry: Entry, moments: Sequence[Moment]) -> Iterator[Element]:
    causes = (each.event for each in moments if each.is_evidence and each.event.occurred_at == entry.since)
    if tags := next((own_tags(event.tags) for event in causes if event.tags), None):
        yield element("p", f"Caused by mail with {', '.join(tags)}.")
    if entry.who:
        yield element("p", f"By {entry.who}: {entry.note or 'no reason given'}")
    yield element("p", f"Lifted by: {lifted_when(entry)}")


def _messages(place: Place, address: str, moments: Sequence[Moment], max_events: int) -> Iterator[Content]:
    messages = by_message(moments)
    older = place.request.get("messages")
    number = int(older) if older.isdecimal() else MAX_MESSAGES
    for message in messages[:number]:
        yield _message(place, message)
    if len(messages) > number:
        more = place.action(query=address, messages=str(number + MAX_MESSAGES))
        yield element("p", *link(f"Show older ({len(messages) - number:,} more)", more))
    if len(moments) >= max_events:
        sentence = "There may be older events, which are not read here. All are printed by "
        yield element("p", sentence, place.command("suppressions", "explain", address, "--events", "100000"))


def _message(place: Place, moments: Sequence[Moment]) -> Element:
    events = [moment.event for moment in moments]
    article = element("article")
    message_id = events[0].message_id
    if message_id and events[0].sent_at:
        article.append(element("h3", subject_of(events) or "Message without a recorded subject"))
        article.extend(_elements(message_facts(events)))
        article.append(whole_id(message_id, " ", *link("Feedback of all recipients", place.action(message=message_id))))
    article.append(event_list(moments))
    return article


def message(place: Place, message_id: str, moments: Sequence[Moment]) -> Iterator[Content]:
    """Return the bounces, complaints and subscriptions about a message, by recipient."""
    yield element("h3", "Message ", element("span", message_id, css="id"))
    report = element("p", "Its whole life, with deliveries, opens and clicks: ")
    report.append(place.command("report", "message", message_id))
    if not moments:
        sentence = "No bounce, complaint or subscription about this message is recorded. Check the message id."
        yield empty(sentence, report)
        return
    yield from message_facts(moment.event for moment in moments)
    groups = list(by_recipient(moments))
    for address, of_recipient in groups[:MAX_RECIPIENTS]:
        yield element("p", *link(address, place.action(query=address)) if address else ["No recipient named"])
        yield event_list(of_recipient)
    if len(groups) > MAX_RECIPIENTS:
        yield element("p", f"{MAX_RECIPIENTS} of {len(groups):,} recipients are shown.")
    yield report


def beginning(place: Place, text: str, entries: Sequence[Entry], *, is_complete: bool) -> Iterator[Content]:
    """Return the suppressed recipients that begin with a text, as many as were found."""
    bounded = [] if is_complete else [element("p", _bounds(), place.command("suppressions", "list"), css="soft")]
    if not entries:
        yield empty(f"No suppressed recipient that begins with {text!r} was found.", *bounded)
        return
    rows = [
        [
            Cell.of(*link(entry.recipient, place.action(query=entry.recipient))),
            Cell.of(verdict(entry, place.request.now)),
        ]
        for entry in entries
    ]
    yield table(f"Recipients that begin with {text!r}", ("Recipient", "Verdict"), rows)
    yield from bounded


def _bounds() -> str:
    return "The list is not sorted by recipient, so only its first part was searched. All entries are printed by "


def _beginning_link(place: Place, address: str) -> Iterable[Element]:
    return link("Find suppressed recipients that begin so", place.action(query=address, as_beginning="1"))


def _elements(content: Iterable[Content]) -> Iterator[Element]:
    return (each for each in content if isinstance(each, Element))
