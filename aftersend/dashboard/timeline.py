"""Show events of a recipient or a message: each with its outcome in colour and word, repeated opens as one line."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple
from xml.etree.ElementTree import Element

from aftersend.dashboard.elements import Content, element
from aftersend.dashboard.numbers import moment as format_moment
from aftersend.events import (
    ADDED,
    NOT_SPAM,
    ON_ACCOUNT_LIST,
    PUT_ON_ACCOUNT_LIST,
    REMOVED,
    BounceType,
    Event,
    Kind,
)
from aftersend.operations.feedback_listing import own_tags
from aftersend.suppression import EARLIEST, Effect
from aftersend.suppression.explanation import Moment, describe_event

OUTCOMES: Mapping[str, tuple[str, str]] = {
    Kind.SEND: ("Sent", ""),
    Kind.REJECT: ("Rejected", "bad"),
    Kind.RENDERING_FAILURE: ("Rendering failure", "bad"),
    Kind.DELIVERY_DELAY: ("Delayed", "warn"),
    Kind.DELIVERY: ("Delivered", "good"),
    Kind.BOUNCE: ("Bounced", "warn"),
    Kind.COMPLAINT: ("Complained", "bad"),
    Kind.SUBSCRIPTION: ("Subscription changed", ""),
    Kind.OPEN: ("Opened", ""),
    Kind.CLICK: ("Clicked", ""),
    ADDED: ("Added by an operator", "bad"),
    REMOVED: ("Removed by an operator", "good"),
    ON_ACCOUNT_LIST: ("On SES's account list", "bad"),
    PUT_ON_ACCOUNT_LIST: ("Put on SES's account list", "bad"),
}
"""The word and the tone of each kind; unknown kinds are shown as SES spells them."""

BOUNCES: Mapping[str | None, tuple[str, str]] = {
    BounceType.PERMANENT: ("Hard bounce", "bad"),
    BounceType.TRANSIENT: ("Soft bounce", "warn"),
}

ENGAGEMENT = (Kind.OPEN, Kind.CLICK)
SHORT_ID = 12
"""Characters of a message id that are shown before it is opened."""


class Repetition(NamedTuple):
    """Events that one line shows, the newest last: all alike if there are several."""

    moments: Sequence[Moment]

    @property
    def last(self) -> Moment:
        return self.moments[-1]


def time_of(moment: Moment) -> float:
    """Return when an event occurred, to sort by."""
    return (moment.event.occurred_at or EARLIEST).timestamp()


def by_message(moments: Iterable[Moment]) -> list[Sequence[Moment]]:
    """Return the events of each message, the message that was sent last first."""
    by_id: dict[str, list[Moment]] = {}
    for number, moment in enumerate(moments):
        by_id.setdefault(moment.event.message_id or f"#{number}", []).append(moment)
    return sorted(by_id.values(), key=_begin, reverse=True)


def _begin(moments: Sequence[Moment]) -> float:
    first = moments[0].event
    return (first.sent_at or first.occurred_at or EARLIEST).timestamp()


def event_list(moments: Iterable[Moment]) -> Element:
    """Return events in the order in which they occurred; opens and clicks alike as one line, at the last of them."""
    made = element("dl")
    for repetition in sorted(_repetitions(moments), key=lambda each: time_of(each.last)):
        made.append(element("dt", format_moment(repetition.last.event.occurred_at), css="time"))
        made.append(element("dd", *_line(repetition)))
    return made


def _repetitions(moments: Iterable[Moment]) -> Iterator[Repetition]:
    engagement: dict[tuple[str | None, ...], list[Moment]] = {}
    for moment in moments:
        event = moment.event
        if event.kind in ENGAGEMENT:
            engagement.setdefault((event.kind, event.machine, event.link), []).append(moment)
        else:
            yield Repetition([moment])
    yield from map(Repetition, engagement.values())


def _line(repetition: Repetition) -> Iterator[Content]:
    moment, number = repetition.last, len(repetition.moments)
    word, tone = _outcome(moment.event)
    yield element("span", word, css=f"level {tone}".strip())
    machine = f" by a machine ({moment.event.machine})" if moment.event.machine else ""
    repeated = f" {number:,} times, this was the last" if number > 1 else ""
    if text := f"{machine}{repeated} {describe_event(moment.event)}".rstrip():
        yield f" {text.lstrip()} "
    if moment.rule and moment.effect != Effect.NONE:
        yield element("small", _rule(moment))


def _outcome(event: Event) -> tuple[str, str]:
    if event.kind == Kind.COMPLAINT and event.feedback_type == NOT_SPAM:
        return "Not spam", "good"
    known = BOUNCES.get(event.bounce_type) if event.kind == Kind.BOUNCE else None
    return known or OUTCOMES.get(event.kind, (event.kind, ""))


def _rule(moment: Moment) -> str:
    evidence = "; the suppression is based on it" if moment.is_evidence else ""
    return f" rule {moment.rule}, effect: {moment.effect}{evidence}"


def message_facts(events: Iterable[Event]) -> Iterator[Content]:
    """Return who sent a message, with which tags and when, as far as one of its events has it."""
    known = list(events)
    sent_at = next((event.sent_at for event in known if event.sent_at), None)
    source = next((event.source or event.from_domain for event in known if event.source or event.from_domain), "")
    tags = next((event.tags for event in known if event.tags), {})
    configuration_set = next((event.configuration_set for event in known if event.configuration_set), None)
    facts = (
        f"Sent {format_moment(sent_at)}" if sent_at else "",
        f"from {source}" if source else "",
        f"configuration set {configuration_set}" if configuration_set else "",
        ", ".join(own_tags(tags)),
    )
    yield element("p", " · ".join(filter(None, facts)), css="soft")


def subject_of(events: Iterable[Event]) -> str | None:
    """Return the subject of a message if an event has it."""
    return next((event.subject for event in events if event.subject), None)


def whole_id(message_id: str, *content: Content) -> Element:
    """Return the beginning of a message id that opens to the whole, to be copied, and to what can be done with it."""
    short = message_id if len(message_id) <= SHORT_ID else f"{message_id[:SHORT_ID]}…"
    summary = element("summary", "Message ", element("span", short, css="id"), title=message_id)
    return element("details", summary, element("code", message_id), *content)


def by_recipient(moments: Iterable[Moment]) -> Iterator[tuple[str, Sequence[Moment]]]:
    """Return the events of each recipient of a message, in alphabetical order."""
    ordered = sorted(moments, key=_recipient)
    return ((recipient, list(group)) for recipient, group in groupby(ordered, key=_recipient))


def _recipient(moment: Moment) -> str:
    return moment.event.recipient or ""
