"""Unwrap records from the envelopes of SNS, SQS, EventBridge and Firehose, recognized by their shape.

Envelopes may be nested, and what is in them may be text or an object at each level.
"""

from base64 import b64decode
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from aftersend.parsing.foreign_records import SNS_CONFIRMATIONS

MAX_DEPTH = 8
"""Envelopes within envelopes. In practice there are at most four: SQS, SNS, EventBridge, a line of an object."""

VALIDATION_TEXT = "Successfully validated SNS topic for Amazon SES event publishing."
"""The plain text SES publishes while an SNS event destination is created."""

JsonObject = dict[str, Any]


class Content(NamedTuple):
    """Hold what is in an envelope: text or bytes to decode, or a value that is decoded already."""

    payload: Any
    detail_type: str | None = None
    """The event's type as EventBridge names it: the record itself may not have one."""
    is_one_record: bool = False
    """Whether text of several lines is one record nevertheless: a message of SNS is never several."""


class Envelope(NamedTuple):
    """Recognize an envelope and extract what is in it."""

    matches: Callable[[JsonObject], bool]
    extract: Callable[[JsonObject], Iterator[Content]]


def unwrap(value: JsonObject) -> list[Content] | None:
    """Return what is in an envelope; None if the object is no envelope."""
    for envelope in ENVELOPES:
        if envelope.matches(value):
            return list(envelope.extract(value))
    return None


def _resembles_records(value: object) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, str) and value.lstrip().startswith(("{", "[", VALIDATION_TEXT))
    )


def _is_sns(value: JsonObject) -> bool:
    """Match messages of SNS. Hand-made test messages often have nothing but a `Message`: it must resemble a record."""
    if value.get("Type") in SNS_CONFIRMATIONS:
        return False
    is_complete = value.get("Type") == "Notification" or "TopicArn" in value
    return "Message" in value and (is_complete or _resembles_records(value["Message"]))


def _sqs_body(value: JsonObject) -> Any:
    """Return the body of a message, as Lambda spells it (`body`) or the API (`Body`)."""
    return value.get("body", value.get("Body"))


def _is_sqs(value: JsonObject) -> bool:
    """Match messages of SQS. In a message with nothing but a body, the body must resemble a record."""
    fields_of_sqs = ("receiptHandle", "ReceiptHandle", "md5OfBody", "MD5OfBody")
    is_complete = value.get("eventSource") == "aws:sqs" or any(field in value for field in fields_of_sqs)
    body = _sqs_body(value)
    return body is not None and (is_complete or _resembles_records(body))


def _extract_eventbridge(value: JsonObject) -> Iterator[Content]:
    detail_type = value.get("detail-type")
    yield Content(value["detail"], detail_type if isinstance(detail_type, str) else None)


def _is_firehose(value: JsonObject) -> bool:
    records = value.get("records")
    is_complete = "invocationId" in value or "deliveryStreamArn" in value
    return isinstance(records, list) and (
        is_complete or any(isinstance(record, dict) and "data" in record for record in records)
    )


def _extract_firehose(value: JsonObject) -> Iterator[Content]:
    for record in value["records"]:
        data = record.get("data") if isinstance(record, dict) else None
        try:
            yield Content(b64decode(data, validate=True) if isinstance(data, str) else data)
        except ValueError:
            yield Content(data)


def _list_in(field: str) -> Callable[[JsonObject], Iterator[Content]]:
    return lambda value: iter([Content(value[field])] if value[field] else [])


ENVELOPES = (
    # Amazon SNS, around one message
    Envelope(_is_sns, lambda value: iter([Content(value["Message"], is_one_record=True)])),
    # Amazon SQS, around one message
    Envelope(_is_sqs, lambda value: iter([Content(_sqs_body(value))])),
    # a Lambda event of SNS; sometimes the SES record is in the place of SNS's object
    Envelope(lambda value: isinstance(value.get("Sns"), dict | str), lambda value: iter([Content(value["Sns"])])),
    # Amazon EventBridge, whose detail-type may be the only place that names the event's type
    Envelope(lambda value: value.get("source") == "aws.ses" and "detail" in value, _extract_eventbridge),
    # Lambda events of queues and topics, and the response of SQS's ReceiveMessage
    Envelope(lambda value: isinstance(value.get("Records"), list), _list_in("Records")),
    Envelope(lambda value: isinstance(value.get("Messages"), list), _list_in("Messages")),
    # Amazon Data Firehose, as it invokes a transformation: base64
    Envelope(_is_firehose, _extract_firehose),
)
"""The first envelope that matches is extracted."""
