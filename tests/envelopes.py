"""Put records into every envelope they may arrive in."""

import base64
import json
from collections.abc import Callable
from typing import Any

from tests.record_files import in_sns_envelope

DETAIL_TYPES = {
    "Send": "Email Sent",
    "Reject": "Email Rejected",
    "Rendering Failure": "Email Rendering Failed",
    "DeliveryDelay": "Email Delivery Delayed",
    "Delivery": "Email Delivered",
    "Bounce": "Email Bounced",
    "Complaint": "Email Complaint Received",
    "Subscription": "Email Subscribed",
    "Open": "Email Opened",
    "Click": "Email Clicked",
}


def in_sqs_record(body: Any) -> dict[str, Any]:
    return {
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1773480416214"},
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:222222222222:feedback",
    }


def _in_api_message(body: str) -> dict[str, Any]:
    return {"MessageId": "059f36b4", "ReceiptHandle": "AQEB", "MD5OfBody": "e4e68fb7", "Body": body}


def _in_lambda_sns_record(message: Any) -> dict[str, Any]:
    sns = json.loads(in_sns_envelope("")) | {"Message": message}
    return {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": "arn:aws:sns:…", "Sns": sns}


def in_eventbridge(detail: Any, kind: str) -> dict[str, Any]:
    return {
        "version": "0",
        "id": "12a18625-3cf7-4e9c-9c3b-1b2c3d4e5f60",
        "detail-type": DETAIL_TYPES.get(kind, "Email " + kind),
        "source": "aws.ses",
        "account": "222222222222",
        "time": "2026-03-14T09:26:56Z",
        "region": "eu-west-1",
        "resources": ["arn:aws:ses:eu-west-1:222222222222:identity/bookshop.example"],
        "detail": detail,
    }


def _kind(record: str) -> str:
    value = json.loads(record)
    return value.get("eventType") or value["notificationType"]


def _without_type(record: str) -> dict[str, Any]:
    return {name: value for name, value in json.loads(record).items() if name not in ("eventType", "notificationType")}


def in_firehose_invocation(*records: str) -> dict[str, Any]:
    encoded = [base64.b64encode(record.encode()).decode() for record in records]
    return {
        "invocationId": "invoked-1",
        "deliveryStreamArn": "arn:aws:firehose:eu-west-1:222222222222:deliverystream/archive",
        "records": [{"recordId": str(number), "data": data} for number, data in enumerate(encoded)],
    }


ENVELOPES: dict[str, Callable[[str], str | bytes]] = {
    "bare": lambda record: record,
    "bytes": lambda record: record.encode(),
    "byte order mark": lambda record: b"\xef\xbb\xbf" + record.encode(),
    "white space": lambda record: f"\n\n  {record}\r\n\n",
    "indented": lambda record: json.dumps(json.loads(record), indent=4),
    "JSON in JSON": json.dumps,
    "a list": lambda record: f"[{record}]",
    "SNS": in_sns_envelope,
    "SNS, line end inside": lambda record: in_sns_envelope(record + "\n"),
    "SNS, object": lambda record: json.dumps(json.loads(in_sns_envelope("")) | {"Message": json.loads(record)}),
    "SQS to Lambda, raw": lambda record: json.dumps({"Records": [in_sqs_record(record)]}),
    "SQS to Lambda, object": lambda record: json.dumps({"Records": [in_sqs_record(json.loads(record))]}),
    "SNS in SQS to Lambda": lambda record: json.dumps({"Records": [in_sqs_record(in_sns_envelope(record))]}),
    "an SQS record alone": lambda record: json.dumps(in_sqs_record(record)),
    "SQS API": lambda record: json.dumps({"Messages": [_in_api_message(in_sns_envelope(record))]}),
    "SNS to Lambda": lambda record: json.dumps({"Records": [_in_lambda_sns_record(record)]}),
    "SNS to Lambda, the record in the place of Sns": lambda record: json.dumps(
        {"Records": [{"EventSource": "aws:sns", "Sns": json.loads(record)}]}
    ),
    "EventBridge": lambda record: json.dumps(in_eventbridge(json.loads(record), _kind(record))),
    "EventBridge, detail as text": lambda record: json.dumps(in_eventbridge(record, _kind(record))),
    "EventBridge, type in detail-type alone": lambda record: json.dumps(
        in_eventbridge(_without_type(record), _kind(record))
    ),
    "EventBridge in SQS": lambda record: json.dumps(
        {"Records": [in_sqs_record(json.dumps(in_eventbridge(json.loads(record), _kind(record))))]}
    ),
    "nothing but a Message": lambda record: json.dumps({"Message": record}),
    "nothing but a body": lambda record: json.dumps({"Records": [{"body": record}]}),
    "nothing but a Body": lambda record: json.dumps({"Messages": [{"Body": record}]}),
    "nothing but data": lambda record: json.dumps({"records": [{"data": base64.b64encode(record.encode()).decode()}]}),
    "Firehose invocation": lambda record: json.dumps(in_firehose_invocation(record + "\n")),
}
"""Functions that put a record into an envelope. Each payload has the same events as the record alone."""
