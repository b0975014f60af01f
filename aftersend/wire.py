"""SES's JSON as types: the fields Aftersend reads, spelled and shaped as SES sends them. The rest is passed over.

Source: the SES developer guide's pages "Contents of event data that Amazon SES publishes to Amazon SNS" and
"Amazon SNS notification contents for Amazon SES".
"""

from datetime import datetime

import msgspec


class _Wire(msgspec.Struct, rename="camel"):
    """camelCase in JSON, unknown fields allowed."""


class Mail(_Wire):
    timestamp: datetime
    message_id: str
    source: str = ""
    destination: list[str] = []
    tags: dict[str, list[str]] | None = None


class AffectedRecipient(_Wire):
    """An entry of bouncedRecipients, complainedRecipients or delayedRecipients."""

    email_address: str
    action: str | None = None
    status: str | None = None
    diagnostic_code: str | None = None


class Bounce(_Wire):
    timestamp: datetime
    bounce_type: str
    bounce_sub_type: str
    bounced_recipients: list[AffectedRecipient] = []
    feedback_id: str | None = None


class Complaint(_Wire):
    timestamp: datetime
    complained_recipients: list[AffectedRecipient] = []
    complaint_sub_type: str | None = None
    complaint_feedback_type: str | None = None
    user_agent: str | None = None
    feedback_id: str | None = None


class Delivery(_Wire):
    timestamp: datetime
    recipients: list[str] = []
    processing_time_millis: int | None = None
    smtp_response: str | None = None


class Reject(_Wire):
    reason: str | None = None


class Open(_Wire):
    timestamp: datetime
    ip_address: str | None = None
    user_agent: str | None = None
    is_bot_event: str | None = None


class Click(Open):
    link: str | None = None
    link_tags: dict[str, list[str]] | None = None


class Failure(_Wire):
    template_name: str | None = None
    error_message: str | None = None


class DeliveryDelay(_Wire):
    timestamp: datetime
    delay_type: str | None = None
    delayed_recipients: list[AffectedRecipient] = []
    expiration_time: datetime | None = None


class TopicSubscription(_Wire):
    topic_name: str
    subscription_status: str


class TopicPreferences(_Wire):
    unsubscribe_all: bool = False
    topic_subscription_status: list[TopicSubscription] = []


class Subscription(_Wire):
    timestamp: datetime
    contact_list: str | None = None
    source: str | None = None
    new_topic_preferences: TopicPreferences | None = None
    old_topic_preferences: TopicPreferences | None = None


class Payload(_Wire):
    """What may stand at the top of a payload: an SES record, an SNS envelope around one, or Amazon S3's test event."""

    event_type: str | None = None
    notification_type: str | None = None
    mail: Mail | None = None
    bounce: Bounce | None = None
    complaint: Complaint | None = None
    delivery: Delivery | None = None
    reject: Reject | None = None
    open: Open | None = None
    click: Click | None = None
    failure: Failure | None = None
    delivery_delay: DeliveryDelay | None = None
    subscription: Subscription | None = None

    sns_type: str | None = msgspec.field(default=None, name="Type")
    sns_message: str | None = msgspec.field(default=None, name="Message")


class _Named(_Wire):
    name: str


class _Object(_Wire):
    key: str


class _S3Entity(_Wire):
    bucket: _Named
    object: _Object


class _ObjectCreated(_Wire):
    s3: _S3Entity


class ObjectNotification(msgspec.Struct):
    """Amazon S3's notification about objects, or its test event."""

    records: list[_ObjectCreated] = msgspec.field(default=[], name="Records")
    event: str | None = msgspec.field(default=None, name="Event")
