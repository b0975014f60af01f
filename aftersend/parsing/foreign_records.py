"""Records of other services that come over the same topics, queues and buckets: matches, so that they are ignored by
name and not kept as unreadable. Told by what is their own, never by what they have in common with SES's records.
"""

from collections.abc import Callable
from typing import Any

S3_TEST_EVENT = "s3:TestEvent"
"""The `Event` Amazon S3 sends to a queue when the notifications of a bucket are set."""

Matcher = Callable[[dict[str, Any]], bool]


def classify_foreign(found: dict[str, Any]) -> str | None:
    """The word for whose record it is (docs/events.md); None if nobody's we know."""
    return next((reason for reason, matches in FOREIGN_RECORDS if matches(found)), None)


def classify_foreign_eventbridge(detail_type: str) -> str:
    """The word for an event of `aws.ses` that is about no message."""
    name = detail_type.lower()
    return next((reason for word, reason in SES_DETAIL_TYPES if word in name), "ses-other")


SES_DETAIL_TYPES = (
    ("advisor", "ses-advisor"),
    ("tenant", "ses-tenant"),
    ("sending status", "ses-tenant"),
    ("reputation", "ses-tenant"),
)
"""Events Amazon SES puts on EventBridge about accounts and tenants, by a word of their detail-type."""


def _has(*names: str) -> Matcher:
    return lambda found: all(name in found for name in names)


def _type_key(found: dict[str, Any]) -> str:
    return str(found.get("eventType") or found.get("event_type") or "")


FOREIGN_RECORDS: tuple[tuple[str, Matcher], ...] = (
    # `Records[]` of Amazon S3, and its test event
    ("s3-test-event", lambda found: found.get("Event") == S3_TEST_EVENT),
    ("s3-event", lambda found: found.get("eventSource") == "aws:s3" and "s3" in found),
    # mail received with SES: over SNS, and as a Lambda event
    ("ses-inbound", lambda found: found.get("notificationType") == "Received"),
    ("ses-inbound", lambda found: found.get("eventSource") == "aws:ses" and "ses" in found),
    ("ses-inbound", _has("receipt", "mail")),
    # Amazon SNS's own: somebody subscribes
    ("sns-confirmation", lambda found: found.get("Type") in ("SubscriptionConfirmation", "UnsubscribeConfirmation")),
    # delivery status of text messages, as SNS logs it
    (
        "sns-sms",
        lambda found: _has("notification", "delivery", "status")(found) and "phoneCarrier" in str(found["delivery"]),
    ),
    # Amazon Pinpoint (End User Messaging): `_email.delivered`, `_SMS.BUFFERED`, …
    (
        "pinpoint",
        lambda found: _type_key(found).startswith("_") or _has("event_type", "event_timestamp", "client")(found),
    ),
    # Amazon Cognito's triggers and user activity, and AWS CloudTrail's records
    ("cognito", lambda found: bool({"userPoolId", "identityPoolId"} & found.keys())),
    ("cognito", lambda found: found.get("eventSource") == "USER_AUTH_EVENTS"),
    ("cloudtrail", lambda found: str(found.get("eventSource", "")).endswith(".amazonaws.com") and "eventName" in found),
    ("cloudwatch-alarm", _has("AlarmName", "NewStateValue")),
    ("eventbridge-other", lambda found: _has("detail-type", "detail", "source")(found)),
)
