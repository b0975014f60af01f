"""Define the types of SES's JSON: the fields Aftersend uses, spelled and typed as SES sends them.

Every field may be missing or null; other fields are ignored.

Source: the SES developer guide's pages "Contents of event data that Amazon SES publishes to Amazon SNS" and "Amazon SNS
notification contents for Amazon SES".
"""

from datetime import datetime
from typing import Annotated

import msgspec

MAX_INTEGER = 2**53 - 1
"""The largest integer that all JSON parsers agree on (RFC 8259, section 6). DynamoDB takes numbers of 38 digits."""

MAX_NAME_CHARACTERS = 16_383
"""Names of tags and topics become attribute names: DynamoDB takes 1 to 65,535 bytes, and a character has up to four."""

Integer = Annotated[int, msgspec.Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME_CHARACTERS)]
Tags = dict[Name, list[str]]


class SesObject(msgspec.Struct, rename="camel"):
    """Map fields to camelCase in JSON; allow unknown ones."""


class Mail(SesObject):
    timestamp: datetime | None = None
    message_id: str | None = None
    source: str | None = None
    destination: list[str] | None = None
    tags: Tags | None = None
    headers: msgspec.Raw = msgspec.Raw()
    """Not decoded; empty if there are none. HeadedRecord has them."""


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
    processing_time_millis: Integer | None = None
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
    link_tags: Tags | None = None


class Failure(SesObject):
    template_name: str | None = None
    error_message: str | None = None


class DeliveryDelay(SesObject):
    timestamp: datetime | None = None
    delay_type: str | None = None
    delayed_recipients: list[AffectedRecipient] | None = None
    expiration_time: datetime | None = None


class TopicSubscription(SesObject):
    topic_name: Name | None = None
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


class Header(SesObject):
    name: str | None = None
    value: str | None = None


class CommonHeaders(SesObject):
    subject: str | None = None


class HeadedMail(SesObject):
    headers: list[Header] | None = None
    common_headers: CommonHeaders | None = None


class HeadedRecord(SesObject):
    """Describe the headers of a record. They are decoded by themselves, where they make a difference."""

    mail: HeadedMail | None = None
