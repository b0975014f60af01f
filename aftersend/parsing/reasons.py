"""Explain to people the reasons for which a record has no event."""

IGNORED_REASONS = {
    "topic-validation": "what SES publishes while an SNS event destination is created",
    "subscription-succeeded": "what SES publishes when a notification topic of an identity is set",
    "s3-test-event": "what Amazon S3 sends when the notifications of a bucket are set",
    "s3-event": "an object notification of Amazon S3",
    "ses-inbound": "mail received with SES, not sent",
    "sns-confirmation": "a request of Amazon SNS to confirm a subscription",
    "sns-sms": "the delivery status of a text message",
    "pinpoint": "an event of Amazon Pinpoint or AWS End User Messaging",
    "cognito": "an event of Amazon Cognito",
    "cloudtrail": "an API call, as AWS CloudTrail records it",
    "cloudwatch-alarm": "a CloudWatch alarm that changed its state",
    "eventbridge-other": "an EventBridge event of another service",
    "ses-advisor": "a recommendation of the Virtual Deliverability Manager's advisor",
    "ses-tenant": "the reputation or sending status of a tenant or an account",
    "ses-other": "an EventBridge event of SES that is about no message",
    "no-records": "an empty envelope",
    "expired": "an event older than the ledger's retention; it was counted when it was recent",
}
"""Of records that are recognized and have no event."""

UNREADABLE_REASONS = {
    "empty": "nothing but white space, or an empty list",
    "not-json": "neither JSON nor lines of JSON",
    "wrong-type": "JSON, but neither an object nor a list",
    "no-type": "an object without eventType or notificationType, for instance the body of a bounce alone",
    "unknown-type": "a type that SES does not document, in a record whose `mail` is not complete",
    "too-long": "longer than any message of Amazon SQS or record of Amazon Data Firehose",
    "too-deep": "more envelopes, or more deeply nested JSON, than real records have",
    "not-an-object-notification": "a message on the archive's queue that is not an Amazon S3 notification",
    "no-message-id": "an event that names neither message nor recipient, so that it has no key of its own",
    "too-large": "an event that an item of the ledger cannot hold: it is too large, or a number or a name in it is",
    "damaged-object": "the rest of an archive object that cannot be decompressed; the object itself remains",
}
"""Of records that are not recognized: they are stored, so that a person can inspect and redrive them."""
