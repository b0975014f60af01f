"""What may stand around a record of SES, taken off: told by its shape, repeatedly, strings or objects at each level."""

from base64 import b64decode
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

MAX_DEPTH = 8
"""Envelopes in envelopes; a record comes out of four at the most (SQS, SNS, EventBridge, a line)."""


VALIDATION_TEXT = "Successfully validated SNS topic for Amazon SES event publishing."
"""What SES publishes, as plain text, while an SNS event destination is created."""


class Unwrapped(NamedTuple):
    """What an envelope holds: a string or bytes that is JSON itself, or a value that was."""

    content: Any
    detail_type: str | None = None
    """The event's name as EventBridge spells it, where that stands in the envelope alone."""


def unwrap(found: dict[str, Any]) -> list[Unwrapped] | None:
    """What is in an envelope; None if the object is none."""
    for matches, extract in ENVELOPES:
        if matches(found):
            return list(extract(found))
    return None


def _named(found: dict[str, Any], *names: str) -> Any:
    return next((found[name] for name in names if name in found), None)


def _may_be_records(found: object) -> bool:
    return isinstance(found, dict) or (
        isinstance(found, str) and found.lstrip().startswith(("{", "[", VALIDATION_TEXT))
    )


def _is_sns(found: dict[str, Any]) -> bool:
    """People try things out with less than SNS sends; then what is inside must look like it."""
    is_whole = found.get("Type") == "Notification" or "TopicArn" in found
    return "Message" in found and (is_whole or _may_be_records(found["Message"]))


def _is_sqs(found: dict[str, Any]) -> bool:
    """As Lambda gives it (`body`) or as the API does (`Body`); with less than that, as above."""
    marks = ("receiptHandle", "ReceiptHandle", "md5OfBody", "MD5OfBody")
    is_whole = found.get("eventSource") == "aws:sqs" or any(mark in found for mark in marks)
    body = _named(found, "body", "Body")
    return body is not None and (is_whole or _may_be_records(body))


def _is_firehose(found: dict[str, Any]) -> bool:
    records = found.get("records")
    is_whole = "invocationId" in found or "deliveryStreamArn" in found
    return isinstance(records, list) and (
        is_whole or any(isinstance(each, dict) and "data" in each for each in records)
    )


def _firehose(found: dict[str, Any]) -> Iterator[Unwrapped]:
    for record in found["records"]:
        data = record.get("data") if isinstance(record, dict) else None
        try:
            yield Unwrapped(b64decode(data, validate=True) if isinstance(data, str) else data)
        except ValueError:
            yield Unwrapped(data)


def _several(name: str) -> Callable[[dict[str, Any]], Iterator[Unwrapped]]:
    return lambda found: (Unwrapped(each) for each in found[name])


ENVELOPES: tuple[tuple[Callable[[dict[str, Any]], bool], Callable[[dict[str, Any]], Iterator[Unwrapped]]], ...] = (
    # Amazon SNS, around one message
    (_is_sns, lambda found: iter([Unwrapped(found["Message"])])),
    # Amazon SQS, around one message
    (_is_sqs, lambda found: iter([Unwrapped(_named(found, "body", "Body"))])),
    # a Lambda event of SNS: now and then the SES record stands in the place of SNS's object
    (lambda found: isinstance(found.get("Sns"), dict | str), lambda found: iter([Unwrapped(found["Sns"])])),
    # Amazon EventBridge, which may alone say what the event is
    (
        lambda found: found.get("source") == "aws.ses" and "detail" in found,
        lambda found: iter([Unwrapped(found["detail"], found.get("detail-type"))]),
    ),
    # Lambda events of queues and topics, and what SQS's ReceiveMessage answers
    (lambda found: isinstance(found.get("Records"), list), _several("Records")),
    (lambda found: isinstance(found.get("Messages"), list), _several("Messages")),
    # Amazon Data Firehose, as it calls a transformation: base64
    (_is_firehose, _firehose),
)
"""How each envelope is matches, and what it holds."""
