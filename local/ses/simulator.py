"""Simulate SES: accept messages and publish the records of their events to the topics and streams that are deployed."""

import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from functools import cache
from typing import Any

import boto3

from local.ses.account_list import AccountList
from local.ses.configuration import DeployedConfiguration
from local.ses.metrics import SendingMetrics
from local.ses.publishing import Outbox, Publisher
from local.ses.records import NOTIFICATION_TYPES, Message, SimulatedEvent, event_record, new_id, notification

VALIDATION_TEXT = "Successfully validated SNS topic for Amazon SES event publishing."

MAILBOX_SIMULATOR_EVENTS: dict[str, list[SimulatedEvent]] = {
    "success": [{"event": "Send"}, {"event": "Delivery"}],
    "bounce": [
        {"event": "Send"},
        {
            "event": "Bounce",
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "action": "failed",
            "status": "5.1.1",
            "diagnosticCode": "smtp; 550 5.1.1 user unknown",
        },
    ],
    "ooto": [
        {"event": "Send"},
        {"event": "Delivery"},
        {"event": "Bounce", "bounceType": "Transient", "bounceSubType": "General"},
    ],
    "complaint": [
        {"event": "Send"},
        {"event": "Delivery"},
        {"event": "Complaint", "complaintFeedbackType": "abuse", "userAgent": "Amazon SES Mailbox Simulator"},
    ],
    "suppressionlist": [
        {"event": "Send"},
        {
            "event": "Bounce",
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "diagnosticCode": "Amazon SES has suppressed sending to this address",
        },
    ],
}
"""Local part of a mailbox simulator address → events ("Using the mailbox simulator" in the SES developer guide)."""

_ECHOES: dict[str, SimulatedEvent] = {
    "BOUNCE": {"event": "Bounce", "bounceType": "Permanent", "bounceSubType": "OnAccountSuppressionList"},
    "COMPLAINT": {"event": "Complaint", "complaintSubType": "OnAccountSuppressionList"},
}
"""What SES publishes instead of sending to a listed recipient, by the reason that the list has."""


@dataclass
class NotificationSettings:
    """The notification settings of an identity; the defaults are SES's."""

    topics: dict[str, str] = field(default_factory=dict)
    headers: set[str] = field(default_factory=set)
    forwarding: bool = True


class LocalSes:
    """The state of the simulated SES.

    The emulator keeps identities, configuration sets and event destinations; notification settings and the account
    suppression list are kept here.
    """

    def __init__(self, emulator_url: str, *, seed: int = 0, max_through_firehose: int = 200) -> None:
        session = boto3.Session("test", "test", region_name="us-east-1")
        self.emulator_client: Callable[[str], Any] = cache(lambda name: session.client(name, endpoint_url=emulator_url))
        self.notification_settings: dict[str, NotificationSettings] = defaultdict(NotificationSettings)
        """Settings by identity."""
        self.account_list = AccountList()
        self._rng = random.Random(seed)
        self._configuration = DeployedConfiguration(self.emulator_client)
        self.publisher = Publisher(self.emulator_client, self._rng, max_through_firehose)
        self._outbox = Outbox(self._rng)
        self._metrics = SendingMetrics(self.emulator_client)

    def accept(self, message: Message, events: list[SimulatedEvent] | None) -> None:
        """Publish records of these events about a message; without events, those its address stands for, or the echo
        of the account suppression list where that holds the address."""
        for event in events if events is not None else self._unscripted_events(message):
            event.setdefault("feedbackId", new_id(datetime.now(UTC), self._rng))
            occurred_at = message.sent_at + timedelta(seconds=event.get("seconds", 1))
            self.account_list.learn(event, event.get("to", message.destination), occurred_at, message.id)
            matching = self._matching_destinations(message, event)
            self._metrics.add(event["event"], message, [each for each in matching if "CloudWatchDestination" in each])
            for publish in self._publications(message, event):
                self._outbox.schedule(publish)

    def store_past(self, stories: Iterable[tuple[Message, list[SimulatedEvent]]]) -> None:
        """Store the records of past events in the archive as Firehose did then: an object for each hour.

        Nothing is published to topics.
        """
        objects: dict[tuple[str, datetime], list[str]] = defaultdict(list)
        for message, event in ((message, event) for message, events in stories for event in events):
            event.setdefault("feedbackId", new_id(message.sent_at, self._rng))
            occurred_at = message.sent_at + timedelta(seconds=event["seconds"])
            hour = occurred_at.replace(minute=0, second=0, microsecond=0)
            self.account_list.learn(event, event.get("to", message.destination), occurred_at, message.id)
            for stream in self._streams(message, event):
                objects[stream, hour].append(json.dumps(event_record(message, event)))
        for (stream, hour), records in sorted(objects.items()):
            self.publisher.store_object(stream, records, hour)

    def default_configuration_set(self, source: str) -> str | None:
        """Return the default configuration set of the identity that sends for an address.

        Raises:
            KeyError: if no verified identity sends for the address.
        """
        return self._configuration.sending_identity(source)[1].get("ConfigurationSetName") or None

    def configuration_set_exists(self, name: str) -> bool:
        return self._configuration.event_destinations(name) is not None

    def sending_enabled(self, name: str) -> bool:
        return self._configuration.sending_enabled(name)

    def is_verified(self, identity: str) -> bool:
        return self._configuration.identity(identity) is not None

    def set_topic(self, identity: str, notification_type: str, topic: str | None) -> None:
        """Set or remove the topic of a notification type and publish SES's setup message to a new topic."""
        topics = self.notification_settings[identity].topics
        if not topic:
            topics.pop(notification_type, None)
        else:
            text = (
                f"You have successfully subscribed your Amazon SNS topic '{topic}' to receive '{notification_type}' "
                f"notifications from Amazon SES for identity '{identity}'."
            )
            record = json.dumps({"notificationType": "AmazonSnsSubscriptionSucceeded", "message": text}) + "\n"
            self.publisher.publish_to_topic(topic, record, ("setup message", "subscription succeeded"))
            topics[notification_type] = topic

    def validate_topic(self, topic: str) -> None:
        """Publish the text that SES publishes when an event destination is created or changed."""
        self.publisher.publish_to_topic(topic, VALIDATION_TEXT, ("setup message", "topic validation"))

    def drain(self) -> None:
        """Wait until all records of the accepted messages are published."""
        self._outbox.wait_until_empty()
        self.publisher.store_collected()
        self._metrics.flush()

    def close(self) -> None:
        self._outbox.close()

    def _unscripted_events(self, message: Message) -> list[SimulatedEvent]:
        reasons = {recipient: self.account_list.suppressing_reason(recipient) for recipient in message.destination}
        listed = {recipient: reason for recipient, reason in reasons.items() if reason}
        if not listed:
            return default_events(message)
        echoes = [{**_ECHOES[reason], "to": [recipient]} for recipient, reason in listed.items()]
        others = [recipient for recipient in message.destination if recipient not in listed]
        events = [{"event": "Send"}, *echoes]
        return [*events, {"event": "Delivery", "to": others}] if others else events

    def _publications(self, message: Message, event: SimulatedEvent) -> Iterator[Callable[[], None]]:
        """Yield a call for each topic and stream that the event is published to."""
        yield from self._event_publications(message, event)
        event_type = event["event"]
        identity, _ = self._configuration.sending_identity(message.source)
        settings = self.notification_settings[identity]
        if event_type in NOTIFICATION_TYPES and (topic := settings.topics.get(event_type)):
            text = json.dumps(notification(message, event, with_headers=event_type in settings.headers))
            yield lambda: self.publisher.publish_to_topic(topic, text, ("identity notification", event_type))

    def _matching_destinations(self, message: Message, event: SimulatedEvent) -> list[dict[str, Any]]:
        """Return the event destinations of the message's configuration set that take the event."""
        api_name = event["event"].upper().replace(" ", "_").replace("DELIVERYDELAY", "DELIVERY_DELAY")
        deployed = self._configuration.event_destinations(message.configuration_set) or ()
        return [each for each in deployed if each["Enabled"] and api_name in each["MatchingEventTypes"]]

    def _streams(self, message: Message, event: SimulatedEvent) -> Iterator[str]:
        """Yield the names of the Firehose streams that the event is published to."""
        for destination in self._matching_destinations(message, event):
            if firehose := destination.get("KinesisFirehoseDestination"):
                yield firehose["DeliveryStreamArn"].rpartition("/")[2]

    def _event_publications(self, message: Message, event: SimulatedEvent) -> Iterator[Callable[[], None]]:
        event_type = event["event"]
        record = json.dumps(event_record(message, event))
        for destination in self._matching_destinations(message, event):
            if sns := destination.get("SnsDestination"):
                topic = sns["TopicArn"]
                yield lambda topic=topic: self.publisher.publish_to_topic(topic, record, ("SNS", event_type))
        for stream in self._streams(message, event):
            yield lambda stream=stream: self.publisher.put_into_stream(stream, record, ("Firehose", event_type))


def default_events(message: Message) -> list[SimulatedEvent]:
    """Return the events that a mailbox simulator address stands for; other recipients get their message."""
    local_part, _, domain = parseaddr(message.destination[0])[1].partition("@")
    name = local_part.split("+")[0] if domain == "simulator.amazonses.com" else "success"
    events = MAILBOX_SIMULATOR_EVENTS.get(name, MAILBOX_SIMULATOR_EVENTS["success"])
    return [dict(event) for event in events]
