"""Load the records of tests/events."""

import json
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).parent / "events"
RECORD_FILES = sorted([*EVENTS.glob("event-publishing/*.json"), *EVENTS.glob("identity-notifications/*.json")])


def published(kind: str) -> dict[str, Any]:
    """Return the record of event publishing with that file name, as in `delivery-delay`."""
    return json.loads((EVENTS / "event-publishing" / f"{kind}.json").read_bytes())


def notified(kind: str) -> dict[str, Any]:
    """Return the identity notification with that file name."""
    return json.loads((EVENTS / "identity-notifications" / f"{kind}.json").read_bytes())


def setup(name: str) -> str:
    """Return a message that is sent while destinations are set up, by its full file name."""
    return (EVENTS / "setup" / name).read_text()


def in_sns_envelope(message: str) -> str:
    """Wrap a message as Amazon SNS does without raw message delivery."""
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": "0d1c9b2a-8f7e-5d6c-a4b3-92817f6e5d4c",
            "TopicArn": "arn:aws:sns:eu-west-1:222222222222:feedback",
            "Subject": "Amazon SES Email Event Notification",
            "Message": message,
            "Timestamp": "2026-03-14T09:26:56.301Z",
            "SignatureVersion": "1",
            "Signature": "EXAMPLE",
            "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService.pem",
            "UnsubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe",
        }
    )
