"""Simulate SES: accept messages and publish the records of their events to the topics and streams that are deployed."""

import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import Message as Mime
from functools import cache
from typing import Any

import boto3

from local.ses import tracking
from local.ses.account_list import AccountList
from local.ses.configuration import Configuration, DeployedConfiguration, StoredConfiguration, sending_identity
from local.ses.mailbox import DeliveredMessage, Mailbox
from local.ses.metrics import SendingMetrics
from local.ses.outcomes import default_events
from local.ses.publishing import Outbox, Publisher
from local.ses.records import NOTIFICATION_TYPES, Message, SimulatedEvent, event_record, new_id, notification
from local.ses.responses import RequestError
from local.ses.templates import Templates

SEND_QUOTA = {"Max24HourSend": 50_000.0, "MaxSendRate": 14.0, "SentLast24Hours": 0.0}
"""What GetSendQuota (v1) and GetAccount (v2) return. No quota applies."""

VALIDATION_TEXT = "Successfully validated SNS topic for Amazon SES event publishing."


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

    region = "us-east-1"

    def __init__(self, emulator_url: str | None, *, seed: int = 0, max_through_firehose: int = 200) -> None:
        session = boto3.Session("test", "test", region_name=self.region)
        self.has_emulator = emulator_url is not None
        """Without one, identities and configuration sets are kept here; topics and streams get nothing."""
        self.emulator_client: Callable[[str], Any] = _no_emulator
        self.configuration: Configuration = StoredConfiguration()
        if self.has_emulator:
            self.emulator_client = cache(lambda name: session.client(name, endpoint_url=emulator_url))
            self.configuration = DeployedConfiguration(self.emulator_client)
        self.notification_settings: dict[str, NotificationSettings] = defaultdict(NotificationSettings)
        """Settings by identity."""
        self.account_list, self.templates, self.mailbox = AccountList(), Templates(), Mailbox()
        self.account_sending_enabled = True
        self.url = ""
        """Where the server is reached: tracked links lead there."""
        self._rng = random.Random(seed)
        self.publisher = Publisher(self.emulator_client, self._rng, max_through_firehose)
        self._outbox = Outbox(self._rng)
        self._metrics = SendingMetrics(self.emulator_client)

    def accept(
        self,
        message: Message,
        content: Mime,
        events: list[SimulatedEvent] | None,
        list_management: dict[str, Any] | None = None,
    ) -> None:
        """Publish records of these events about a message; without events, those its recipients stand for, or the echo
        of the account suppression list where that holds them. Keep the message as delivered if it is."""
        events = events if events is not None else default_events(message.destination, self.account_list)
        if recipients := [
            each for event in events if event["event"] == "Delivery" for each in _affected(message, event)
        ]:
            self.mailbox.put(self._delivered(message, content, recipients, list_management))
        self.publish(message, events)

    def publish(self, message: Message, events: list[SimulatedEvent]) -> None:
        """Publish records of events about a message that was accepted."""
        for event in events:
            event.setdefault("feedbackId", new_id(datetime.now(UTC), self._rng))
            occurred_at = message.sent_at + timedelta(seconds=event.get("seconds", 1))
            self.account_list.learn(event, _affected(message, event), occurred_at, message.id)
            matching = self._matching_destinations(message, event["event"])
            if matching:
                self.mailbox.add_record(event_record(message, event))
            if self.has_emulator:
                self._metrics.add(event["event"], message, [one for one in matching if "CloudWatchDestination" in one])
                for publish in self._publications(message, event, matching):
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
            for stream in self._streams(self._matching_destinations(message, event["event"])):
                objects[stream, hour].append(json.dumps(event_record(message, event)))
        for (stream, hour), records in sorted(objects.items()):
            self.publisher.store_object(stream, records, hour)

    def default_configuration_set(self, source: str) -> str | None:
        """Return the default configuration set of the identity that sends for an address.

        Raises:
            KeyError: if no verified identity sends for the address.
        """
        return sending_identity(self.configuration, source)[1].get("ConfigurationSetName") or None

    def configuration_set_exists(self, name: str) -> bool:
        return self.configuration.event_destinations(name) is not None

    def sending_enabled(self, name: str) -> bool:
        return self.configuration.sending_enabled(name)

    def is_verified(self, identity: str) -> bool:
        return self.configuration.identity(identity) is not None

    def is_sender(self, address: str) -> bool:
        """Return whether a verified identity sends for an address."""
        try:
            sending_identity(self.configuration, address)
        except KeyError:
            return False
        return True

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
        if self.has_emulator:
            self._metrics.flush()

    def close(self) -> None:
        self._outbox.close()
        self.publisher.close()

    def _delivered(
        self, message: Message, content: Mime, recipients: list[str], list_management: dict[str, Any] | None
    ) -> DeliveredMessage:
        """Return a message with the links that SES adds: for the events that its configuration set publishes."""
        base, links = f"{self.url}/track/{message.id}", []
        opens, clicks = (bool(self._matching_destinations(message, each)) for each in ("Open", "Click"))
        if opens or clicks:
            links = tracking.track(content, base, opens=opens, clicks=clicks)
        # SES adds the unsubscribe link only to messages with one recipient.
        if list_management and len(message.destination) == 1:
            tracking.add_unsubscribe_links(content, f"{base}/unsubscribe")
        return DeliveredMessage(message, content, recipients, links, list_management)

    def _publications(
        self, message: Message, event: SimulatedEvent, matching: list[dict[str, Any]]
    ) -> Iterator[Callable[[], None]]:
        """Yield a call for each topic and stream that the event is published to."""
        yield from self._event_publications(message, event, matching)
        event_type = event["event"]
        identity, _ = sending_identity(self.configuration, message.source)
        settings = self.notification_settings[identity]
        if event_type in NOTIFICATION_TYPES and (topic := settings.topics.get(event_type)):
            text = json.dumps(notification(message, event, with_headers=event_type in settings.headers))
            yield lambda: self.publisher.publish_to_topic(topic, text, ("identity notification", event_type))

    def _matching_destinations(self, message: Message, event_type: str) -> list[dict[str, Any]]:
        """Return the event destinations of the message's configuration set that take events of a type."""
        api_name = event_type.upper().replace(" ", "_").replace("DELIVERYDELAY", "DELIVERY_DELAY")
        deployed = self.configuration.event_destinations(message.configuration_set) or ()
        return [each for each in deployed if each.get("Enabled") and api_name in each["MatchingEventTypes"]]

    def _streams(self, matching: list[dict[str, Any]]) -> Iterator[str]:
        """Yield the names of the Firehose streams among event destinations."""
        for destination in matching:
            if firehose := destination.get("KinesisFirehoseDestination"):
                yield firehose["DeliveryStreamArn"].rpartition("/")[2]

    def _event_publications(
        self, message: Message, event: SimulatedEvent, matching: list[dict[str, Any]]
    ) -> Iterator[Callable[[], None]]:
        event_type = event["event"]
        record = json.dumps(event_record(message, event))
        for destination in matching:
            if sns := destination.get("SnsDestination"):
                topic = sns["TopicArn"]
                yield lambda topic=topic: self.publisher.publish_to_topic(topic, record, ("SNS", event_type))
        for stream in self._streams(matching):
            yield lambda stream=stream: self.publisher.put_into_stream(stream, record, ("Firehose", event_type))


def _affected(message: Message, event: SimulatedEvent) -> list[str]:
    return event.get("to", message.destination)


def _no_emulator(service: str) -> Any:
    raise RequestError("InvalidAction", f"The local SES runs without an emulator, which {service} is needed from.")
