"""What a record of SES tells, as events: one for each recipient it is about.

The record's values are taken as they are: unknown types and subtypes are kept verbatim, what is missing is None.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta

from aftersend import wire
from aftersend.addresses import bare
from aftersend.events import Event, Kind, Preferences

BELIEVED_UNTIL = {Kind.OPEN: timedelta(days=90), Kind.CLICK: timedelta(days=90), Kind.SUBSCRIPTION: timedelta(days=400)}
BELIEVED_UNTIL_OTHERWISE = timedelta(days=30)
"""How long after the message was sent an event is believed to have happened; SES collects opens for 60 days."""

POSSIBLE_YEARS = range(2000, 2101)
"""A time outside is no time: SES is younger, and no clock is that far ahead."""

Recipients = list[str] | None


def events(kind: str, record: wire.Record, mended: Iterable[str] = ()) -> list[Event]:
    """The events in a record of that kind (as SES spells it, or unknown), at least one."""
    mail = record.mail or _NO_MAIL
    common = _Common(kind, mail, tuple(mended))
    told = _TOLD.get(kind, _told_of_each_destination)
    return list(told(common, record)) or [common.event(None)]


class _Common:
    """What all events of a record have in common."""

    def __init__(self, kind: str, mail: wire.Mail, mended: tuple[str, ...]) -> None:
        self.kind = kind
        self.destination = mail.destination or []
        self.sent_at = _utc(mail.timestamp)
        self._mail = mail
        self._source = bare(mail.source) if mail.source else ""
        self._mended = mended

    def event(self, address: str | None, stated_at: datetime | None = None, /, **details: object) -> Event:
        recipient, spelling = _recipient(address)
        stated_at = _utc(stated_at)
        occurred_at = self._believed(stated_at)
        return Event(
            kind=self.kind,
            message_id=self._mail.message_id,
            sent_at=self.sent_at,
            occurred_at=occurred_at,
            stated_at=None if stated_at == occurred_at else stated_at,
            recipient=recipient,
            spelling=spelling,
            source=self._source,
            tags=self._mail.tags or {},
            mended=self._mended,
            **details,  # ty: ignore[invalid-argument-type] (the functions below name the fields)
        )

    def _believed(self, stated_at: datetime | None) -> datetime | None:
        """A bouncing server's clock is not trusted: nothing happens before its message was sent or very long after."""
        if stated_at is None or self.sent_at is None:
            return stated_at or self.sent_at
        latest = self.sent_at + BELIEVED_UNTIL.get(self.kind, BELIEVED_UNTIL_OTHERWISE)
        return min(max(stated_at, self.sent_at), latest)


_NO_MAIL = wire.Mail()


def _told_of_each_destination(common: _Common, _: wire.Record) -> Iterator[Event]:
    return (common.event(address) for address in common.destination)


def _bounced(common: _Common, record: wire.Record) -> Iterator[Event]:
    bounce = record.bounce or wire.Bounce()
    for bounced in bounce.bounced_recipients or [wire.AffectedRecipient()]:
        address, reported = _affected(bounced.email_address, common.destination)
        yield common.event(
            address,
            bounce.timestamp,
            reported=reported,
            bounce_type=bounce.bounce_type,
            bounce_subtype=bounce.bounce_sub_type,
            action=bounced.action,
            status=bounced.status,
            diagnostic=bounced.diagnostic_code,
            feedback_id=bounce.feedback_id,
        )


def _affected(named: str | None, destination: list[str]) -> tuple[str | None, str | None]:
    """The destination a bounce is about, and the address it named if that is another: a forwarded mail bounces for
    the address it was forwarded to, which must not be suppressed in the place of the one that was mailed."""
    if not named or not destination or named in destination:
        return named, None
    lowered = bare(named).lower()
    if lowered in {bare(address).lower() for address in destination}:
        return named, None
    return _only(destination), lowered


def _complained(common: _Common, record: wire.Record) -> Iterator[Event]:
    complaint = record.complaint or wire.Complaint()
    complained = complaint.complained_recipients or [wire.AffectedRecipient()]
    for candidate in complained:
        yield common.event(
            candidate.email_address,
            complaint.timestamp,
            feedback_type=complaint.complaint_feedback_type,
            complaint_subtype=complaint.complaint_sub_type,
            candidates=len(complained) if len(complained) > 1 else None,
            agent=complaint.user_agent,
            feedback_id=complaint.feedback_id,
        )


def _delivered(common: _Common, record: wire.Record) -> Iterator[Event]:
    delivery = record.delivery or wire.Delivery()
    for address in delivery.recipients or [None]:
        yield common.event(
            address,
            delivery.timestamp,
            processing_milliseconds=delivery.processing_time_millis,
            response=delivery.smtp_response,
        )


def _delayed(common: _Common, record: wire.Record) -> Iterator[Event]:
    delay = record.delivery_delay or wire.DeliveryDelay()
    for delayed in delay.delayed_recipients or [wire.AffectedRecipient()]:
        yield common.event(
            delayed.email_address,
            delay.timestamp,
            status=delayed.status,
            diagnostic=delayed.diagnostic_code,
            delay_type=delay.delay_type,
            delay_expires_at=_utc(delay.expiration_time),
        )


def _rejected(common: _Common, record: wire.Record) -> Iterator[Event]:
    reason = record.reject.reason if record.reject else None
    return (common.event(address, reject_reason=reason) for address in common.destination)


def _failed_to_render(common: _Common, record: wire.Record) -> Iterator[Event]:
    failure = record.failure or wire.Failure()
    return (
        common.event(address, template=failure.template_name, error=failure.error_message)
        for address in common.destination
    )


def _opened(common: _Common, record: wire.Record) -> Iterator[Event]:
    opened = record.open or wire.Open()
    yield common.event(
        _only(common.destination),
        opened.timestamp,
        address=opened.ip_address,
        agent=opened.user_agent,
        bot=opened.is_bot_event,
    )


def _clicked(common: _Common, record: wire.Record) -> Iterator[Event]:
    clicked = record.click or wire.Click()
    yield common.event(
        _only(common.destination),
        clicked.timestamp,
        address=clicked.ip_address,
        agent=clicked.user_agent,
        bot=clicked.is_bot_event,
        link=clicked.link,
        link_tags=clicked.link_tags or {},
    )


def _subscribed(common: _Common, record: wire.Record) -> Iterator[Event]:
    subscription = record.subscription or wire.Subscription()
    yield common.event(
        next(iter(common.destination), None),
        subscription.timestamp,
        contact_list=subscription.contact_list,
        subscription_source=subscription.source,
        old_preferences=_preferences(subscription.old_topic_preferences),
        new_preferences=_preferences(subscription.new_topic_preferences),
    )


_TOLD: dict[str, Callable[[_Common, wire.Record], Iterator[Event]]] = {
    Kind.SEND: _told_of_each_destination,
    Kind.REJECT: _rejected,
    Kind.RENDERING_FAILURE: _failed_to_render,
    Kind.DELIVERY_DELAY: _delayed,
    Kind.DELIVERY: _delivered,
    Kind.BOUNCE: _bounced,
    Kind.COMPLAINT: _complained,
    Kind.SUBSCRIPTION: _subscribed,
    Kind.OPEN: _opened,
    Kind.CLICK: _clicked,
}
"""How the events of each kind are told."""


def _preferences(found: wire.TopicPreferences | None) -> Preferences | None:
    if found is None:
        return None
    topics = {
        topic.topic_name: topic.subscription_status
        for topic in found.topic_subscription_status or ()
        if topic.topic_name and topic.subscription_status
    }
    return Preferences(bool(found.unsubscribe_all), topics)


def _only(addresses: list[str]) -> str | None:
    """Opens and clicks name nobody: with several destinations they belong to the message alone."""
    return addresses[0] if len(addresses) == 1 else None


def _recipient(address: str | None) -> tuple[str | None, str | None]:
    spelling = bare(address) if address else ""
    lowered = spelling.lower()
    return lowered or None, None if lowered == spelling else spelling


def _utc(moment: datetime | None) -> datetime | None:
    """In UTC and whole milliseconds, so that copies of one fact written with other fractions are equal."""
    if moment is None or moment.year not in POSSIBLE_YEARS:
        return None
    if moment.tzinfo is not UTC:
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    excess = moment.microsecond % 1000
    return moment.replace(microsecond=moment.microsecond - excess) if excess else moment
