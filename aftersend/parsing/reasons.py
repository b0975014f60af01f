"""Why a record came to no event, in words that are counted: what each one means to a person."""

IGNORED_REASONS = {
    "topic-validation": "what SES publishes while an SNS event destination is created",
    "subscription-succeeded": "what SES publishes when a notification topic of an identity is set",
    "s3-test-event": "what Amazon S3 sends when the notifications of a bucket are set",
    "s3-event": "Amazon S3 telling of an object",
    "ses-inbound": "mail received with SES, not sent",
    "sns-confirmation": "Amazon SNS asking to confirm a subscription",
    "sns-sms": "the delivery status of a text message",
    "pinpoint": "an event of Amazon Pinpoint or AWS End User Messaging",
    "cognito": "an event of Amazon Cognito",
    "cloudtrail": "an API call, as AWS CloudTrail records it",
    "cloudwatch-alarm": "a CloudWatch alarm that changed its state",
    "eventbridge-other": "an EventBridge event of another service",
    "ses-advisor": "a recommendation of the Virtual Deliverability Manager's advisor",
    "ses-tenant": "the reputation or sending status of a tenant or an account",
    "ses-other": "an EventBridge event of SES that is about no message",
    "no-records": "an envelope with nothing in it",
    "expired": "an event older than the ledger keeps: it was counted in its time",
}
"""Of a record that is understood and holds no event for us."""

UNREADABLE_REASONS = {
    "empty": "nothing but white space, or an empty list",
    "not-json": "neither JSON nor lines of JSON",
    "wrong-type": "JSON, but neither an object nor a list",
    "no-type": "an object without eventType or notificationType, a bounce's or complaint's body first of all",
    "unknown-type": "a type SES does not have, and no whole `mail` to tell a new one of SES's from a stranger's",
    "too-long": "longer than any payload AWS Lambda is given",
    "too-deep": "more envelopes, or deeper JSON, than anything real has",
    "not-an-object-notification": "on the archive's queue, and not a notification of Amazon S3",
    "no-message-id": "an event that names neither message nor recipient: it could not be told from others",
    "too-large": "an event that fits no item of the ledger",
}
"""Of a record nobody understood: it is kept, for a person to look at and to hand back."""
