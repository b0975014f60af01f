"""What the local SES does with mail: it publishes the records SES would publish, to what is deployed.

Out of order and some of them twice, as SES may. Records for Firehose go through the emulator's Firehose up to a
number, one object each, as that delivers them; the others are collected and stored as the objects AWS's Firehose
would have written: gzip, a record a line.
"""

import gzip
import heapq
import json
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parseaddr
from typing import Any

import boto3

from local.ses.records import NOTIFICATION_TYPES, Message, Outcome, event_record, new_id, notification

VALIDATION_TEXT = "Successfully validated SNS topic for Amazon SES event publishing."

LATEST_SECONDS = 3.0
"""Each record is published this late at most: far later than many that happened after it."""

TWICE = 0.1
"""The share of records that are published twice."""

OBJECT_RECORDS = 150
REMEMBERED_SECONDS = 2.0
PUBLISHERS = 4

SIMULATOR_OUTCOMES: dict[str, list[Outcome]] = {
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
"""What the mailbox simulator does ("Using the mailbox simulator" in the SES developer guide)."""


@dataclass
class Settings:
    """How an identity notifies, as SES has it where nobody set anything."""

    topics: dict[str, str] = field(default_factory=dict)
    headers: set[str] = field(default_factory=set)
    forwarding: bool = True


class LocalSes:
    """The state of the local SES and its publishing. The emulator keeps identities, sets and event destinations."""

    def __init__(self, emulator: str, *, seed: int = 0, through_firehose: int = 200) -> None:
        session = boto3.Session("test", "test", region_name="us-east-1")
        self.emulated: Callable[[str], Any] = _remembered(
            lambda name: session.client(name, endpoint_url=emulator), None
        )
        self.settings: dict[str, Settings] = defaultdict(Settings)
        """How each identity notifies, where anything was set."""
        self.published: Counter[tuple[str, str]] = Counter()
        """How many records went each way: (SNS | Firehose | identity notification | setup message, what)."""
        self._most_through_firehose = through_firehose
        self.through_firehose = self.in_objects = 0
        """Records that went through Firehose itself, and that were stored as it would have stored them."""
        self._draw = random.Random(seed)
        self._outbox: list[tuple[float, int, Callable[[], None]]] = []
        self._changed = threading.Condition()
        self._unpublished = 0
        self._objects: dict[str, list[str]] = {}
        self._closed = False
        self._destinations = _remembered(self._read_destinations, REMEMBERED_SECONDS)
        self._identity = _remembered(self._read_identity, REMEMBERED_SECONDS)
        for _ in range(PUBLISHERS):
            threading.Thread(target=self._publish_until_closed, daemon=True).start()

    def accept(self, message: Message, outcomes: list[Outcome] | None) -> None:
        """Take a message and let happen to it what is said, or what its recipient's address says."""
        for outcome in outcomes if outcomes is not None else _simulated(message):
            with self._changed:
                outcome.setdefault("feedbackId", new_id(datetime.now(UTC), self._draw))
            for publish in self._publications(message, outcome):
                self._put_into_outbox(publish)

    def default_configuration_set(self, source: str) -> str | None:
        """The set of the identity that sends: the address's own, else its domain's.

        Raises:
            KeyError: if neither address nor domain is a verified identity.
        """
        return self._sending_identity(source)[1].get("ConfigurationSetName") or None

    def configuration_set_exists(self, name: str) -> bool:
        return self._destinations(name) is not None

    def is_verified(self, identity: str) -> bool:
        return self._identity(identity) is not None

    def set_topic(self, identity: str, notification_type: str, topic: str | None) -> None:
        """Keep where notifications go, and tell the topic so, as SES does."""
        with self._changed:
            self.settings[identity].topics.pop(notification_type, None)
            if topic:
                self.settings[identity].topics[notification_type] = topic
        if topic:
            text = (
                f"You have successfully subscribed your Amazon SNS topic '{topic}' to receive '{notification_type}' "
                f"notifications from Amazon SES for identity '{identity}'."
            )
            message = {"notificationType": "AmazonSnsSubscriptionSucceeded", "message": text}
            self._publish_to_topic(topic, json.dumps(message) + "\n", ("setup message", "subscription succeeded"))

    def validate_topic(self, topic: str) -> None:
        """Publish what SES publishes while an event destination is created or changed."""
        self._publish_to_topic(topic, VALIDATION_TEXT, ("setup message", "topic validation"))

    def drain(self) -> None:
        """Wait until everything is published that was accepted so far."""
        with self._changed:
            self._changed.wait_for(lambda: self._unpublished == 0)
        for stream, records in list(self._objects.items()):
            self._store_object(stream, records)
        self._objects.clear()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _publications(self, message: Message, outcome: Outcome) -> Iterator[Callable[[], None]]:
        kind = outcome["event"]
        matching = kind.upper().replace(" ", "_").replace("DELIVERYDELAY", "DELIVERY_DELAY")
        record = json.dumps(event_record(message, outcome))
        for destination in self._destinations(message.configuration_set) or ():
            if not destination["Enabled"] or matching not in destination["MatchingEventTypes"]:
                continue
            if sns := destination.get("SnsDestination"):
                yield lambda topic=sns["TopicArn"]: self._publish_to_topic(topic, record, ("SNS", kind))
            if firehose := destination.get("KinesisFirehoseDestination"):
                stream = firehose["DeliveryStreamArn"].rpartition("/")[2]
                yield lambda stream=stream: self._put_into_stream(stream, record, ("Firehose", kind))
        identity, _ = self._sending_identity(message.source)
        settings = self.settings[identity]
        if kind in NOTIFICATION_TYPES and (topic := settings.topics.get(kind)):
            text = json.dumps(notification(message, outcome, with_headers=kind in settings.headers))
            yield lambda: self._publish_to_topic(topic, text, ("identity notification", kind))

    def _put_into_outbox(self, publish: Callable[[], None]) -> None:
        with self._changed:
            for _ in range(2 if self._draw.random() < TWICE else 1):
                due = time.monotonic() + self._draw.uniform(0, LATEST_SECONDS)
                heapq.heappush(self._outbox, (due, self._draw.getrandbits(64), publish))
                self._unpublished += 1
            self._changed.notify_all()

    def _publish_until_closed(self) -> None:
        while True:
            with self._changed:
                while not self._closed and (not self._outbox or self._outbox[0][0] > time.monotonic()):
                    self._changed.wait(self._outbox[0][0] - time.monotonic() if self._outbox else None)
                if self._closed:
                    return
                publish = heapq.heappop(self._outbox)[2]
            try:
                publish()
            finally:
                with self._changed:
                    self._unpublished -= 1
                    self._changed.notify_all()

    def _publish_to_topic(self, topic: str, text: str, counted_as: tuple[str, str]) -> None:
        self.emulated("sns").publish(TopicArn=topic, Message=text, Subject="Amazon SES Email Event Notification")
        self._count(counted_as)

    def _put_into_stream(self, stream: str, record: str, counted_as: tuple[str, str]) -> None:
        with self._changed:
            through_firehose = self.through_firehose < self._most_through_firehose
            self.through_firehose += through_firehose
            if not through_firehose:
                collected = self._objects.setdefault(stream, [])
                collected.append(record)
                full = self._objects.pop(stream) if len(collected) >= OBJECT_RECORDS else None
        if through_firehose:
            data = (record + "\n").encode()
            self.emulated("firehose").put_record_batch(DeliveryStreamName=stream, Records=[{"Data": data}])
        elif full:
            self._store_object(stream, full)
        self._count(counted_as)

    def _store_object(self, stream: str, records: list[str]) -> None:
        described = self.emulated("firehose").describe_delivery_stream(DeliveryStreamName=stream)
        [destination] = described["DeliveryStreamDescription"]["Destinations"]
        s3 = destination["ExtendedS3DestinationDescription"]
        now = datetime.now(UTC)
        with self._changed:
            name = f"{stream}-1-{now:%Y-%m-%d-%H-%M-%S}-{new_id(now, self._draw)[17:53]}.gz"
        self.emulated("s3").put_object(
            Bucket=s3["BucketARN"].rpartition(":")[2],
            Key=f"{s3.get('Prefix', '')}{now:%Y/%m/%d/%H}/{name}",
            Body=gzip.compress("".join(record + "\n" for record in records).encode()),
        )
        with self._changed:
            self.in_objects += len(records)

    def _count(self, what: tuple[str, str]) -> None:
        with self._changed:
            self.published[what] += 1

    def _sending_identity(self, source: str) -> tuple[str, dict[str, Any]]:
        address = parseaddr(source)[1]
        domain = address.rpartition("@")[2].lower()
        parents = [domain.split(".", depth)[-1] for depth in range(domain.count("."))]
        for name in (address, *parents):
            if (found := self._identity(name)) is not None:
                return name, found
        raise KeyError(address)

    def _read_identity(self, name: str) -> dict[str, Any] | None:
        sesv2 = self.emulated("sesv2")
        try:
            found = sesv2.get_email_identity(EmailIdentity=name)
        except sesv2.exceptions.NotFoundException:
            return None
        return found if found["VerifiedForSendingStatus"] else None

    def _read_destinations(self, configuration_set: str | None) -> list[dict[str, Any]] | None:
        if configuration_set is None:
            return []
        sesv2 = self.emulated("sesv2")
        try:
            found = sesv2.get_configuration_set_event_destinations(ConfigurationSetName=configuration_set)
        except sesv2.exceptions.NotFoundException:
            return None
        return found.get("EventDestinations", [])


def _simulated(message: Message) -> list[Outcome]:
    """What happens to a message nobody said anything about."""
    local_part, _, domain = parseaddr(message.destination[0])[1].partition("@")
    name = local_part.split("+")[0] if domain == "simulator.amazonses.com" else "success"
    return [dict(outcome) for outcome in SIMULATOR_OUTCOMES.get(name, SIMULATOR_OUTCOMES["success"])]


def _remembered(read: Callable[[Any], Any], seconds: float | None) -> Callable[[Any], Any]:
    """What `read` gives for an argument, read again when it is older than that; never, if None."""
    known: dict[Any, tuple[float, Any]] = {}

    def get(argument: Any) -> Any:
        now = time.monotonic()
        if argument not in known or (seconds is not None and now - known[argument][0] > seconds):
            known[argument] = now, read(argument)
        return known[argument][1]

    return get
