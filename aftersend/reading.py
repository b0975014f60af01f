"""What SES sent, as events. Pure: a payload in; events, or the reason why there is none, out.

Two shapes of the same facts arrive, told apart by the key that names the type: `eventType` (event publishing) and
`notificationType` (identity notifications).
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from functools import partial
from urllib.parse import unquote_plus

import msgspec

from aftersend import wire
from aftersend.events import Event, Kind, Preferences

VALIDATION_TEXT = "Successfully validated SNS topic for Amazon SES event publishing."
"""What SES publishes, as plain text, while an SNS event destination is created."""

SUBSCRIPTION_SUCCEEDED = "AmazonSnsSubscriptionSucceeded"
"""The `notificationType` SES publishes when a notification topic of an identity is set."""

TEST_EVENT = "s3:TestEvent"
"""The `Event` Amazon S3 sends to a queue when the notifications of a bucket are set."""

LONGEST = 1_048_576
"""Bytes (or characters) of the longest payload that is read: SQS and Firehose carry none that is longer."""

BELIEVED_UNTIL = {Kind.OPEN: timedelta(days=90), Kind.CLICK: timedelta(days=90), Kind.SUBSCRIPTION: timedelta(days=400)}
BELIEVED_UNTIL_OTHERWISE = timedelta(days=30)
"""How long after the message was sent an event is believed to have happened; SES collects opens for 60 days."""


class Ignored(msgspec.Struct, frozen=True):
    """A payload that is understood and holds no event."""

    reason: str


class Unreadable(msgspec.Struct, frozen=True):
    """A payload nobody understood: to be kept. The detail names fields and types, never values."""

    reason: str
    detail: str


class ArchivedObject(msgspec.Struct, frozen=True):
    """An object of the archive, as Amazon S3 announced it."""

    bucket: str
    key: str


def read(payload: str | bytes) -> list[Event] | Ignored | Unreadable:
    """The events in a record of SES, bare or in an SNS envelope; at least one unless there is a reason."""
    if len(payload) > LONGEST:
        return Unreadable("too-long", f"The payload is longer than {LONGEST} bytes.")
    if _text(payload).startswith(VALIDATION_TEXT):
        return Ignored("topic-validation")
    try:
        found = _decode_payload(payload)
    except msgspec.ValidationError as error:
        return Unreadable("wrong-type", str(error))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Unreadable("not-json", "The payload is not JSON.")
    if found.sns_type == "Notification" and found.sns_message is not None:
        return read(found.sns_message)
    return _read_record(found)


def read_object_notification(payload: str | bytes) -> list[ArchivedObject] | Ignored | Unreadable:
    """The objects an Amazon S3 notification announces; their keys arrive URL-encoded."""
    try:
        found = _decode_object_notification(payload)
    except msgspec.DecodeError as error:
        return Unreadable("not-an-object-notification", str(error))
    if found.event == TEST_EVENT:
        return Ignored("s3-test-event")
    if not found.records:
        return Unreadable("not-an-object-notification", "Object has no `Records`.")
    return [ArchivedObject(r.s3.bucket.name, unquote_plus(r.s3.object.key)) for r in found.records]


_decode_payload = msgspec.json.Decoder(wire.Payload).decode
_decode_object_notification = msgspec.json.Decoder(wire.ObjectNotification).decode


_JSON_NAMES = {field.name: field.encode_name for field in msgspec.structs.fields(wire.Payload)}


def _text(payload: str | bytes) -> str:
    start = payload[: 2 * len(VALIDATION_TEXT)]
    return (start if isinstance(start, str) else start.decode("utf-8", "replace")).lstrip()


def _read_record(record: wire.Payload) -> list[Event] | Ignored | Unreadable:
    kind = record.event_type or record.notification_type
    if kind == SUBSCRIPTION_SUCCEEDED:
        return Ignored("subscription-succeeded")
    if kind is None:
        return Unreadable("no-type", "Object has neither `eventType` nor `notificationType`.")
    if kind not in _READERS:
        return Unreadable("unknown-type", "`eventType` names none of SES's event types.")
    if record.mail is None:
        return Unreadable("no-mail", "Object has no `mail`.")
    part, events_of = _READERS[Kind(kind)]
    body = getattr(record, part) if part else None
    if part and body is None:
        return Unreadable("no-body", f"Object has no `{_JSON_NAMES[part]}`.")
    return list(events_of(partial(_event, kind, record.mail), record.mail, body))


def _event(
    kind: str, mail: wire.Mail, address: str | None, stated_at: datetime | None = None, /, **details: object
) -> Event:
    recipient, spelling = _recipient(address)
    sent_at = _utc(mail.timestamp)
    stated_at = _utc(stated_at) if stated_at else sent_at
    occurred_at = min(max(stated_at, sent_at), sent_at + BELIEVED_UNTIL.get(kind, BELIEVED_UNTIL_OTHERWISE))
    return Event(
        kind=kind,
        message_id=mail.message_id,
        sent_at=sent_at,
        occurred_at=occurred_at,
        stated_at=None if stated_at == occurred_at else stated_at,
        recipient=recipient,
        spelling=spelling,
        source=_bare(mail.source),
        tags=mail.tags or {},
        **details,  # ty: ignore[invalid-argument-type] (the readers below name the fields)
    )


NewEvent = Callable[..., Event]


def _to_each_destination(event: NewEvent, mail: wire.Mail, _: None) -> Iterator[Event]:
    return (event(address) for address in mail.destination or [None])


def _bounced(event: NewEvent, mail: wire.Mail, bounce: wire.Bounce) -> Iterator[Event]:
    for bounced in bounce.bounced_recipients or [None]:
        address, reported = _affected(bounced, mail)
        yield event(
            address,
            bounce.timestamp,
            reported=reported,
            bounce_type=bounce.bounce_type,
            bounce_subtype=bounce.bounce_sub_type,
            action=bounced and bounced.action,
            status=bounced and bounced.status,
            diagnostic=bounced and bounced.diagnostic_code,
            feedback_id=bounce.feedback_id,
        )


def _affected(bounced: wire.AffectedRecipient | None, mail: wire.Mail) -> tuple[str | None, str | None]:
    """The destination a bounce is about, and the address it named if that is another: a forwarded mail bounces for
    the address it was forwarded to, which must not be suppressed in the place of the one that was mailed."""
    if bounced is None:
        return None, None
    named = _bare(bounced.email_address)
    if not mail.destination or named.lower() in {_bare(address).lower() for address in mail.destination}:
        return named, None
    return mail.destination[0] if len(mail.destination) == 1 else None, named.lower()


def _complained(event: NewEvent, _: wire.Mail, complaint: wire.Complaint) -> Iterator[Event]:
    candidates = len(complaint.complained_recipients)
    for complained in complaint.complained_recipients or [None]:
        yield event(
            complained and complained.email_address,
            complaint.timestamp,
            feedback_type=complaint.complaint_feedback_type,
            complaint_subtype=complaint.complaint_sub_type,
            candidates=candidates if candidates > 1 else None,
            agent=complaint.user_agent,
            feedback_id=complaint.feedback_id,
        )


def _delivered(event: NewEvent, mail: wire.Mail, delivery: wire.Delivery) -> Iterator[Event]:
    for address in delivery.recipients or mail.destination or [None]:
        yield event(
            address,
            delivery.timestamp,
            processing_milliseconds=delivery.processing_time_millis,
            response=delivery.smtp_response,
        )


def _delayed(event: NewEvent, mail: wire.Mail, delay: wire.DeliveryDelay) -> Iterator[Event]:
    for delayed in delay.delayed_recipients or [wire.AffectedRecipient(a) for a in mail.destination] or [None]:
        yield event(
            delayed and delayed.email_address,
            delay.timestamp,
            status=delayed and delayed.status,
            diagnostic=delayed and delayed.diagnostic_code,
            delay_type=delay.delay_type,
            delay_expires_at=_utc(delay.expiration_time) if delay.expiration_time else None,
        )


def _rejected(event: NewEvent, mail: wire.Mail, reject: wire.Reject) -> Iterator[Event]:
    return (event(address, reject_reason=reject.reason) for address in mail.destination or [None])


def _failed_to_render(event: NewEvent, mail: wire.Mail, failure: wire.Failure) -> Iterator[Event]:
    details = {"template": failure.template_name, "error": failure.error_message}
    return (event(address, **details) for address in mail.destination or [None])


def _opened(event: NewEvent, mail: wire.Mail, opened: wire.Open) -> Iterator[Event]:
    clicked = {"link": opened.link, "link_tags": opened.link_tags or {}} if isinstance(opened, wire.Click) else {}
    yield event(
        _only(mail.destination),
        opened.timestamp,
        address=opened.ip_address,
        agent=opened.user_agent,
        bot=opened.is_bot_event,
        **clicked,
    )


def _subscribed(event: NewEvent, mail: wire.Mail, subscription: wire.Subscription) -> Iterator[Event]:
    yield event(
        next(iter(mail.destination), None),
        subscription.timestamp,
        contact_list=subscription.contact_list,
        subscription_source=subscription.source,
        old_preferences=_preferences(subscription.old_topic_preferences),
        new_preferences=_preferences(subscription.new_topic_preferences),
    )


_READERS: dict[Kind, tuple[str | None, Callable[..., Iterable[Event]]]] = {
    Kind.SEND: (None, _to_each_destination),
    Kind.REJECT: ("reject", _rejected),
    Kind.RENDERING_FAILURE: ("failure", _failed_to_render),
    Kind.DELIVERY_DELAY: ("delivery_delay", _delayed),
    Kind.DELIVERY: ("delivery", _delivered),
    Kind.BOUNCE: ("bounce", _bounced),
    Kind.COMPLAINT: ("complaint", _complained),
    Kind.SUBSCRIPTION: ("subscription", _subscribed),
    Kind.OPEN: ("open", _opened),
    Kind.CLICK: ("click", _opened),
}
"""For each kind: the record's part that tells about it, and how that part becomes events."""


def _preferences(found: wire.TopicPreferences | None) -> Preferences | None:
    if found is None:
        return None
    topics = {topic.topic_name: topic.subscription_status for topic in found.topic_subscription_status}
    return Preferences(found.unsubscribe_all, topics)


def _only(addresses: list[str]) -> str | None:
    """Opens and clicks name nobody: with several destinations they belong to the message alone."""
    return addresses[0] if len(addresses) == 1 else None


def _recipient(address: str | None) -> tuple[str | None, str | None]:
    bare = _bare(address or "")
    if not bare:
        return None, None
    lowered = bare.lower()
    return lowered, None if lowered == bare else bare


def _bare(address: str) -> str:
    """Without display name, comment or surrounding blanks."""
    return (parseaddr(address)[1] or address).strip() if "<" in address or "(" in address else address.strip()


def _utc(moment: datetime) -> datetime:
    """In UTC and whole milliseconds, so that copies of one fact written with other fractions are equal."""
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
