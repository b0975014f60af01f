"""Recognize records of other services, so that they are ignored with a reason and not treated as unreadable.

They arrive over the same topics, queues and buckets. They are recognized by fields of their own, never by those they
share with SES's records.
"""

from collections.abc import Callable
from typing import Any

S3_TEST_EVENT = "s3:TestEvent"
"""The `Event` that Amazon S3 sends when a bucket's notifications are set."""

SNS_CONFIRMATIONS = ("SubscriptionConfirmation", "UnsubscribeConfirmation")
"""The `Type` of Amazon SNS's requests to confirm. They have a `Message`, as its notifications do, but no record."""

Matcher = Callable[[dict[str, Any]], bool]


def classify_foreign(value: dict[str, Any]) -> str | None:
    """Return the reason (docs/events.md) to ignore another service's record; None if it is not recognized."""
    return next((reason for reason, matches in FOREIGN_RECORDS if matches(value)), None)


def classify_foreign_eventbridge(detail_type: str) -> str:
    """Return the reason to ignore an EventBridge event of SES that is not about a message."""
    name = detail_type.lower()
    return next((reason for word, reason in SES_DETAIL_TYPES if word in name), "ses-other")


SES_DETAIL_TYPES = (
    ("advisor", "ses-advisor"),
    ("tenant", "ses-tenant"),
    ("sending status", "ses-tenant"),
    ("reputation", "ses-tenant"),
)
"""Words in the detail-type of EventBridge events of SES about accounts and tenants."""


def _has(*fields: str) -> Matcher:
    return lambda value: all(field in value for field in fields)


def _text(value: dict[str, Any], *fields: str) -> str:
    """Return the first of the fields that is text and not empty, or an empty text."""
    return next((value[field] for field in fields if isinstance(value.get(field), str) and value[field]), "")


FOREIGN_RECORDS: tuple[tuple[str, Matcher], ...] = (
    # `Records[]` of Amazon S3, and its test event
    ("s3-test-event", lambda value: value.get("Event") == S3_TEST_EVENT),
    ("s3-event", lambda value: value.get("eventSource") == "aws:s3" and "s3" in value),
    # mail received with SES: over SNS, and as a Lambda event
    ("ses-inbound", lambda value: value.get("notificationType") == "Received"),
    ("ses-inbound", lambda value: value.get("eventSource") == "aws:ses" and "ses" in value),
    ("ses-inbound", _has("receipt", "mail")),
    # Amazon SNS itself: a subscription to confirm
    ("sns-confirmation", lambda value: value.get("Type") in SNS_CONFIRMATIONS),
    # delivery status of text messages, as SNS logs it
    (
        "sns-sms",
        lambda value: (
            _has("notification", "delivery", "status")(value)
            and isinstance(value["delivery"], dict)
            and "phoneCarrier" in value["delivery"]
        ),
    ),
    # Amazon Pinpoint (End User Messaging): `_email.delivered`, `_SMS.BUFFERED`, …
    (
        "pinpoint",
        lambda value: (
            _text(value, "eventType", "event_type").startswith("_")
            or _has("event_type", "event_timestamp", "client")(value)
        ),
    ),
    # Amazon Cognito's triggers and user activity, and AWS CloudTrail's records
    ("cognito", lambda value: bool({"userPoolId", "identityPoolId"} & value.keys())),
    ("cognito", lambda value: value.get("eventSource") == "USER_AUTH_EVENTS"),
    ("cloudtrail", lambda value: _text(value, "eventSource").endswith(".amazonaws.com") and "eventName" in value),
    ("cloudwatch-alarm", _has("AlarmName", "NewStateValue")),
    ("eventbridge-other", _has("detail-type", "detail", "source")),
)
