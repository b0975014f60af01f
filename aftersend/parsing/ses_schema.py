"""Define the types of SES's JSON: the fields Aftersend uses, spelled and typed as SES sends them.

Every field may be missing or null; other fields are ignored.

Source: the SES developer guide's pages "Contents of event data that Amazon SES publishes to Amazon SNS" and "Amazon SNS
notification contents for Amazon SES".
"""

from datetime import datetime

import msgspec


class SesObject(msgspec.Struct, rename="camel"):
    """Map fields to camelCase in JSON; allow unknown ones."""


class Mail(SesObject):
    timestamp: datetime | None = None
    message_id: str | None = None
    source: str | None = None
    destination: list[str] | None = None
    tags: dict[str, list[str]] | None = None


class AffectedRecipient(SesObject):
    """Describe an entry of bouncedRecipients, complainedRecipients or delayedRecipients."""

    email_address: str | None = None
    action: str | None = None
    status: str | None = None
    diagnostic_code: str | None = None


class Bounce(SesObject):
    timestamp: datetime | None = None
    bounce_type: str | None = None
    bounce_sub_type: str | None = None
    bounced_recipients: list[AffectedRecipient] | None = None
    feedback_id: str | None = None


class Complaint(SesObject):
    timestamp: datetime | None = None
    complained_recipients: list[AffectedRecipient] | None = None
    complaint_sub_type: str | None = None
    complaint_feedback_type: str | None = None
    user_agent: str | None = None
    feedback_id: str | None = None


class Delivery(SesObject):
    timestamp: datetime | None = None
    recipients: list[str] | None = None
    processing_time_millis: int | None = None
    smtp_response: str | None = None


class Reject(SesObject):
    reason: str | None = None


class Open(SesObject):
    timestamp: datetime | None = None
    ip_address: str | None = None
    user_agent: str | None = None
    is_bot_event: str | None = None


class Click(Open):
    link: str | None = None
    link_tags: dict[str, list[str]] | None = None


class Failure(SesObject):
    template_name: str | None = None
    error_message: str | None = None


class DeliveryDelay(SesObject):
    timestamp: datetime | None = None
    delay_type: str | None = None
    delayed_recipients: list[AffectedRecipient] | None = None
    expiration_time: datetime | None = None


class TopicSubscription(SesObject):
    topic_name: str | None = None
    subscription_status: str | None = None


class TopicPreferences(SesObject):
    unsubscribe_all: bool | None = None
    topic_subscription_status: list[TopicSubscription] | None = None


class Subscription(SesObject):
    timestamp: datetime | None = None
    contact_list: str | None = None
    source: str | None = None
    new_topic_preferences: TopicPreferences | None = None
    old_topic_preferences: TopicPreferences | None = None


class Record(SesObject):
    """Describe a record of event publishing or an identity notification, or the SNS envelope around one."""

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


class StoredBucket(SesObject):
    name: str


class StoredObject(SesObject):
    key: str


class StorageEvent(SesObject):
    bucket: StoredBucket
    object: StoredObject


class ObjectCreated(SesObject):
    s3: StorageEvent


class ObjectNotification(msgspec.Struct):
    """Describe Amazon S3's notification about objects, or its test event."""

    records: list[ObjectCreated] = msgspec.field(default=[], name="Records")
    event: str | None = msgspec.field(default=None, name="Event")
