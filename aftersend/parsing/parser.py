"""What arrived, as events. Pure: a payload in; for each record in it its events, or the reason why there are none, out.

Two shapes of the same facts arrive, told apart by the key that names the type: `eventType` (event publishing) and
`notificationType` (identity notifications). A record as SES documents it takes a short way, decoded right into types;
what does not fit is unwrapped, coerced_fields and told apart from other services' records. Both ways give the same.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote_plus

import msgspec

from aftersend.events import Event, Kind
from aftersend.parsing import ses_schema
from aftersend.parsing.coercion import coerce_record
from aftersend.parsing.envelopes import MAX_DEPTH, VALIDATION_TEXT, unwrap
from aftersend.parsing.foreign_records import S3_TEST_EVENT, classify_foreign, classify_foreign_eventbridge
from aftersend.parsing.normalize import normalize

SUBSCRIPTION_SUCCEEDED = "AmazonSnsSubscriptionSucceeded"
"""The `notificationType` SES publishes when a notification topic of an identity is set."""

MAX_PAYLOAD_BYTES = 8 * 1_048_576
"""Bytes (or characters) of the longest payload that is read: Lambda is given none that is longer than 6 MB."""


class Ignored(msgspec.Struct, frozen=True):
    """A record that is understood and holds no event. The reason is a word of the table in docs/events.md."""

    reason: str


class Unreadable(msgspec.Struct, frozen=True):
    """A record nobody understood: to be kept. The detail names fields and types, never values."""

    reason: str
    detail: str


ParseResult = list[Event] | Ignored | Unreadable
"""What became of one record: its events (at least one), or why there are none."""


class ArchivedObject(msgspec.Struct, frozen=True):
    """An object of the archive, as Amazon S3 announced it."""

    bucket: str
    key: str


def parse(payload: str | bytes) -> list[ParseResult]:
    """The records in a payload, each with its events or the reason why it has none; at least one record.

    Never raises: any record costs only itself.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        return [Unreadable("too-long", f"The payload is longer than {MAX_PAYLOAD_BYTES} bytes.")]
    return list(_parse_text(payload, depth=0, detail_type=None))


def parse_object_notification(payload: str | bytes) -> list[ArchivedObject] | Ignored | Unreadable:
    """The objects an Amazon S3 notification announces; their keys arrive URL-encoded."""
    try:
        found = _decode_object_notification(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Unreadable("not-an-object-notification", str(error))
    if found.event == S3_TEST_EVENT:
        return Ignored("s3-test-event")
    if not found.records:
        return Unreadable("not-an-object-notification", "Object has no `Records`.")
    return [ArchivedObject(r.s3.bucket.name, unquote_plus(r.s3.object.key)) for r in found.records]


_decode_record = msgspec.json.Decoder(ses_schema.Record).decode
_decode_anything = msgspec.json.Decoder().decode
_decode_object_notification = msgspec.json.Decoder(ses_schema.ObjectNotification).decode

_KINDS: dict[str | None, Kind] = {kind.value: kind for kind in Kind}
_KINDS_FORGIVING = {kind.lower().replace(" ", ""): kind for kind in Kind}
_DETAIL_TYPES = {
    "emailsent": Kind.SEND,
    "emailrejected": Kind.REJECT,
    "emailrenderingfailed": Kind.RENDERING_FAILURE,
    "emaildeliverydelayed": Kind.DELIVERY_DELAY,
    "emaildelivered": Kind.DELIVERY,
    "emailbounced": Kind.BOUNCE,
    "emailcomplaintreceived": Kind.COMPLAINT,
    "emailsubscribed": Kind.SUBSCRIPTION,
    "emailopened": Kind.OPEN,
    "emailclicked": Kind.CLICK,
}
"""How EventBridge names the kinds ("Monitoring Amazon SES events using Amazon EventBridge"); no blanks, lower case."""


def _parse_text(payload: str | bytes, depth: int, detail_type: str | None) -> Iterable[ParseResult]:
    """The short way for what fits SES's types as it is, the long way for all else."""
    try:
        found = _decode_record(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = _NOTHING
    kind = _KINDS.get(found.event_type or found.notification_type)
    if kind and not _may_be_joined(found):
        return (normalize(kind, found),)
    if found.sns_type == "Notification" and found.sns_message is not None and depth < MAX_DEPTH:
        return _parse_text(found.sns_message, depth + 1, None)
    return _parse_leniently(payload, depth, detail_type)


_NOTHING = ses_schema.Record()


def _may_be_joined(found: ses_schema.Record) -> bool:
    """Whether one text may hold several addresses: typed as it should be, and wrong nevertheless."""
    mail, delivery = found.mail, found.delivery
    return bool(
        (mail and mail.destination and "," in "".join(mail.destination))
        or (delivery and delivery.recipients and "," in "".join(delivery.recipients))
    )


def _parse_leniently(payload: str | bytes, depth: int, detail_type: str | None) -> Iterator[ParseResult]:
    text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else payload
    text = text.removeprefix("\ufeff").strip()
    if not text:
        yield Unreadable("empty", "The payload is blank.")
    elif text.startswith(VALIDATION_TEXT):
        yield Ignored("topic-validation")
    elif depth > MAX_DEPTH:
        yield Unreadable("too-deep", f"There are more than {MAX_DEPTH} envelopes around it.")
    else:
        try:
            found = _decoded(text)
        except RecursionError:
            yield Unreadable("too-deep", "The JSON is nested too deeply.")
        except ValueError:
            yield from _parse_lines(text, depth)
        else:
            yield from _parse_value(found, depth, detail_type)


def _decoded(text: str) -> Any:
    """JSON as values. Python's own decoder takes what the strict one refuses: half of a surrogate pair, where SES cut
    long headers, and numbers out of range."""
    try:
        return _decode_anything(text)
    except msgspec.DecodeError:
        return _without_halves(json.loads(text))


def _without_halves(found: Any) -> Any:
    """Halves of surrogate pairs cannot be stored anywhere."""
    if isinstance(found, str):
        return found.encode("utf-8", "replace").decode()
    if isinstance(found, list):
        return [_without_halves(value) for value in found]
    if isinstance(found, dict):
        return {_without_halves(name): _without_halves(value) for name, value in found.items()}
    return found


def _parse_lines(text: str, depth: int) -> Iterator[ParseResult]:
    """Each line on its own, as in an object of the archive; a single one that is no JSON is nothing we know."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < 2:
        yield Unreadable("not-json", "The payload is not JSON.")
        return
    for line in lines:
        yield from _parse_text(line, depth + 1, None)


def _parse_value(found: Any, depth: int, detail_type: str | None) -> Iterator[ParseResult]:
    if found == []:
        yield Unreadable("empty", "The payload is an empty list.")
    elif isinstance(found, list):
        yield from _parse_each([(value, None) for value in found], depth)
    elif isinstance(found, str):
        yield from _parse_text(found, depth + 1, detail_type)
    elif not isinstance(found, dict):
        yield Unreadable("wrong-type", "The payload is neither an object nor a list.")
    elif _kind_of(found) is None and (inside := unwrap(found)) is not None:
        yield from _parse_each(inside, depth)
    else:
        yield _parse_record(found, detail_type)


def _parse_each(inside: Any, depth: int) -> Iterator[ParseResult]:
    if depth > MAX_DEPTH:
        yield Unreadable("too-deep", f"There are more than {MAX_DEPTH} envelopes around it.")
        return
    if not inside:
        yield Ignored("no-records")
    for content, detail_type in inside:
        reader = _parse_text if isinstance(content, str | bytes) else _parse_value
        yield from reader(content, depth + 1, detail_type)


def _parse_record(found: dict[str, Any], detail_type: str | None) -> ParseResult:
    """What a record is goes by its type key, or by what is another service's own; never by the presence of a body."""
    name = _type_of(found)
    if name == SUBSCRIPTION_SUCCEEDED:
        return Ignored("subscription-succeeded")
    kind = _kind_of(found) or (None if name else _DETAIL_TYPES.get(_squeezed(detail_type)))
    if kind is None and (reason := classify_foreign(found)):
        return Ignored(reason)
    record, coerced_fields = coerce_record(found)
    if kind is None and (name or detail_type) and _is_complete(record.mail):
        kind = name or detail_type
    if kind is not None:
        return normalize(kind, record, dict.fromkeys(coerced_fields))
    if detail_type:
        return Ignored(classify_foreign_eventbridge(detail_type))
    if name:
        return Unreadable("unknown-type", "The type key names none of SES's event types, and `mail` is not complete.")
    return Unreadable("no-type", "Object has neither `eventType` nor `notificationType`.")


def _kind_of(found: dict[str, Any]) -> str | None:
    """The kind the type key names, blanks and case forgiven."""
    return _KINDS_FORGIVING.get(_squeezed(_type_of(found)))


def _type_of(found: dict[str, Any]) -> str | None:
    for key in ("eventType", "notificationType"):
        if isinstance(found.get(key), str) and found[key].strip():
            return found[key].strip()
    return None


def _squeezed(name: object) -> str:
    return "".join(name.split()).lower() if isinstance(name, str) else ""


def _is_complete(mail: ses_schema.Mail | None) -> bool:
    return mail is not None and bool(mail.message_id and mail.source) and mail.timestamp is not None
