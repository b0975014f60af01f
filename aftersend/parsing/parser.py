"""Parse payloads into events: for each record its events, or the reason why it has none.

Records come in two shapes, distinguished by the key of their type: `eventType` (event publishing) and
`notificationType` (identity notifications). A record as SES documents it takes a fast path, decoded directly into
types. Everything else is unwrapped, coerced, and distinguished from other services' records. Both paths give the same.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from aftersend.events import Event, Kind
from aftersend.parsing import ses_schema
from aftersend.parsing.coercion import coerce_record
from aftersend.parsing.envelopes import MAX_DEPTH, VALIDATION_TEXT, Content, unwrap
from aftersend.parsing.foreign_records import classify_foreign, classify_foreign_eventbridge
from aftersend.parsing.headers import DEFAULT_OPTIONS, Options, needs_headers, with_headers
from aftersend.parsing.normalize import normalize

SUBSCRIPTION_SUCCEEDED = "AmazonSnsSubscriptionSucceeded"
"""The `notificationType` that SES publishes when a notification topic of an identity is set."""

MAX_PAYLOAD_BYTES = 1_048_576
"""Bytes (or characters) of the longest payload that the functions parse: Amazon SQS delivers messages of up to 1 MiB,
and Amazon Data Firehose records of up to 1,000 KiB ("Amazon SQS message quotas", "Amazon Data Firehose Quota"). The
worst payloads of this length take 4 seconds (lines of `{}`) or 350 MB (a message to half a million destinations):
`python -m benchmarks.worst_payloads`."""

MAX_INVOCATION_BYTES = 6 * 1_048_576
"""Bytes of the longest event of a Lambda invocation ("Lambda quotas"), which a person may have saved to inspect. The
worst payloads of this length take 24 seconds or 2.1 GB: more than the functions have."""


class Ignored(msgspec.Struct, frozen=True):
    """Report a record that is recognized and has no event. The reason is one of the table in docs/events.md."""

    reason: str


class Unreadable(msgspec.Struct, frozen=True):
    """Report a record that is not recognized, to be stored. The detail names fields and types, never values."""

    reason: str
    detail: str


ParseResult = list[Event] | Ignored | Unreadable
"""The events of a record (at least one), or the reason why it has none."""


def parse(
    payload: str | bytes, options: Options = DEFAULT_OPTIONS, *, max_bytes: int = MAX_PAYLOAD_BYTES
) -> list[ParseResult]:
    """Parse a payload into the results of its records, at least one.

    Never raises: an unreadable record does not affect the others.
    """
    if len(payload) > max_bytes:
        return [Unreadable("too-long", f"The payload is longer than {max_bytes} bytes.")]
    if events := _parse_quickly(payload, 0, options):
        return [events]
    return list(_parse_leniently(Content(payload), 0, options))


_decode_record = msgspec.json.Decoder(ses_schema.Record).decode
_decode_headed_record = msgspec.json.Decoder(ses_schema.HeadedRecord).decode
_decode_json = msgspec.json.Decoder().decode

_KINDS: dict[str | None, Kind] = {kind.value: kind for kind in Kind}
_KINDS_BY_COMPACT_NAME = {kind.lower().replace(" ", ""): kind for kind in Kind}
_KINDS_BY_COMPACT_DETAIL_TYPE = {
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
"""EventBridge's names of the kinds ("Monitoring Amazon SES events using Amazon EventBridge"), in compact form."""


def _parse_text(content: Content, depth: int, options: Options) -> Iterable[ParseResult]:
    events = _parse_quickly(content.payload, depth, options)
    return [events] if events else _parse_leniently(content, depth, options)


def _parse_quickly(payload: str | bytes, depth: int, options: Options) -> list[Event] | None:
    """Return the events of a record that fits SES's types as it is, bare or in messages of SNS; None for all else."""
    try:
        record = _decode_record(payload)
        kind = _KINDS.get(record.event_type or record.notification_type)
        headed = _decode_headed_record(payload) if kind and needs_headers(record.mail, options) else None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    if kind:
        if _may_have_joined_addresses(record):
            return None
        events = normalize(kind, record)
        return with_headers(events, headed.mail, options) if headed else events
    if record.sns_type == "Notification" and record.sns_message is not None and depth < MAX_DEPTH:
        return _parse_quickly(record.sns_message, depth + 1, options)
    return None


def _may_have_joined_addresses(record: ses_schema.Record) -> bool:
    """Return whether one text may hold several addresses: it has the documented type, but must be split."""
    mail, delivery = record.mail, record.delivery
    return bool(
        (mail and mail.destination and "," in "".join(mail.destination))
        or (delivery and delivery.recipients and "," in "".join(delivery.recipients))
    )


_TOO_MANY_ENVELOPES = Unreadable("too-deep", f"The record is in more than {MAX_DEPTH} envelopes.")


_NOT_JSON = Unreadable("not-json", "The payload is not JSON.")


def _parse_leniently(content: Content, depth: int, options: Options) -> Iterator[ParseResult]:
    text = content.payload.decode("utf-8", "replace") if isinstance(content.payload, bytes) else content.payload
    text = text.removeprefix("\ufeff").strip()
    if not text:
        yield Unreadable("empty", "The payload is blank.")
    elif text.startswith(VALIDATION_TEXT):
        yield Ignored("topic-validation")
    elif depth > MAX_DEPTH:
        yield _TOO_MANY_ENVELOPES
    else:
        try:
            value = _decode_leniently(text)
        except RecursionError:
            yield Unreadable("too-deep", "The JSON is nested too deeply.")
        except ValueError:
            yield from [_NOT_JSON] if content.is_one_record else _parse_lines(text, depth, options)
        else:
            yield from _parse_value(content._replace(payload=value), depth, options)


def _decode_leniently(text: str) -> Any:
    """Decode JSON. Python's own decoder takes what msgspec's refuses: numbers out of range, and lone surrogates, which
    occur where SES cuts long headers."""
    try:
        return _decode_json(text)
    except (msgspec.DecodeError, UnicodeError):
        return _replace_lone_surrogates(json.loads(text))


def _replace_lone_surrogates(value: Any) -> Any:
    """Replace halves of surrogate pairs, which cannot be encoded to be stored, with question marks."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_replace_lone_surrogates(element) for element in value]
    if isinstance(value, dict):
        return {_replace_lone_surrogates(key): _replace_lone_surrogates(element) for key, element in value.items()}
    return value


def _parse_lines(text: str, depth: int, options: Options) -> Iterator[ParseResult]:
    """Parse each line on its own, as in an object of the archive."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < 2:
        yield _NOT_JSON
        return
    for line in lines:
        yield from _parse_text(Content(line), depth + 1, options)


_EMPTY_LIST = Unreadable("empty", "The payload is an empty list.")
_WRONG_TYPE = Unreadable("wrong-type", "The payload is neither an object nor a list.")


def _parse_value(content: Content, depth: int, options: Options) -> Iterator[ParseResult]:
    """Parse a payload that is decoded already."""
    value = content.payload
    if isinstance(value, str):
        yield from _parse_text(content, depth + 1, options)
    elif isinstance(value, list):
        yield from _parse_list(value, depth, options) if value else [_EMPTY_LIST]
    elif not isinstance(value, dict):
        yield _WRONG_TYPE
    elif _kind(value) is None and (contents := unwrap(value)) is not None:
        yield from _parse_contents(contents, depth, options) if contents else [Ignored("no-records")]
    else:
        yield _parse_record(value, content.detail_type, options)


def _parse_list(elements: list[Any], depth: int, options: Options) -> Iterator[ParseResult]:
    """Parse each element. One result stands for all those that are no objects, of which there may be a million."""
    is_reported = False
    for element in elements:
        for result in _parse_contents([Content(element)], depth, options):
            if isinstance(result, Unreadable) and result.reason in _NO_OBJECT and not isinstance(element, dict):
                if is_reported:
                    continue
                is_reported = True
            yield result


_NO_OBJECT = ("empty", "not-json", "wrong-type")


def _parse_contents(contents: list[Content], depth: int, options: Options) -> Iterator[ParseResult]:
    if depth > MAX_DEPTH:
        yield _TOO_MANY_ENVELOPES
        return
    for content in contents:
        parse_content = _parse_text if isinstance(content.payload, str | bytes) else _parse_value
        yield from parse_content(content, depth + 1, options)


def _parse_record(value: dict[str, Any], detail_type: str | None, options: Options) -> ParseResult:
    """Recognize a record by its type key, or by fields of another service; never by the presence of a body."""
    name = _type_name(value)
    if name == SUBSCRIPTION_SUCCEEDED:
        return Ignored("subscription-succeeded")
    kind = _kind(value) or (None if name else _KINDS_BY_COMPACT_DETAIL_TYPE.get(_compact(detail_type)))
    if kind is None and (reason := classify_foreign(value)):
        return Ignored(reason)
    record, coerced_fields = coerce_record(value, ses_schema.Record)
    if kind is None and (name or detail_type) and _is_complete(record.mail):
        kind = name or detail_type
    if kind is not None:
        if not needs_headers(record.mail, options):
            return normalize(kind, record, dict.fromkeys(coerced_fields))
        headed, of_headers = coerce_record(value, ses_schema.HeadedRecord)
        events = normalize(kind, record, dict.fromkeys([*coerced_fields, *of_headers]))
        return with_headers(events, headed.mail, options)
    if detail_type:
        return Ignored(classify_foreign_eventbridge(detail_type))
    if name:
        return Unreadable("unknown-type", "The type key names none of SES's event types, and `mail` is not complete.")
    return Unreadable("no-type", "The object has neither `eventType` nor `notificationType`.")


def _kind(value: dict[str, Any]) -> str | None:
    """Return the kind that the type key names, whatever its blanks and case."""
    return _KINDS_BY_COMPACT_NAME.get(_compact(_type_name(value)))


def _type_name(value: dict[str, Any]) -> str | None:
    for key in ("eventType", "notificationType"):
        if isinstance(value.get(key), str) and value[key].strip():
            return value[key].strip()
    return None


def _compact(name: object) -> str:
    """Return a name without blanks and in lower case; an empty one for what is no text."""
    return "".join(name.split()).lower() if isinstance(name, str) else ""


def _is_complete(mail: ses_schema.Mail | None) -> bool:
    return mail is not None and bool(mail.message_id and mail.source) and mail.timestamp is not None
