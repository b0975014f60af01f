"""The whole pipeline running on this machine: what the demo shows and the integration tests try."""

import threading
import time
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3

from aftersend.aws.counters_table import CountersTable
from aftersend.aws.ledger_table import LedgerTable
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.config.loader import load
from aftersend.contract import FAILED_BATCHES_PREFIX, QUARANTINE_PREFIX
from aftersend.dashboard.sections import QueueState, State
from aftersend.events import Event
from aftersend.suppression import Entry
from local.emulator import REGION, bootstrap, deploy, emulator, free_port
from local.endpoint import published_endpoint
from local.mailer import Mailer
from local.ses.records import EVENT_BODIES, NOTIFICATION_TYPES
from local.ses.server import serve
from local.ses.simulator import LocalSes
from local.traffic import CountKey, Expectation, Mail

SETUP_REPEATS = 5
"""How often settings are applied again, so that their setup messages arrive as often."""

QUIET_SECONDS = 3.0
"""Nothing waits and nothing changed for so long: everything is done."""

STALLED_SECONDS = 90.0
"""Something waits and nothing changed for so long: something is wrong."""


AT_LEAST = 5
"""How often each event type and shape, each rule and each setup message must occur in a run."""

SETUP_MESSAGES = ("topic validation", "subscription succeeded", "s3:TestEvent")
RULES = (
    "hard-bounce",
    "sender-refused",
    "complaint",
    "not-spam",
    "out-of-office",
    "suppression-list-echo",
    "simulator",
)


class Stalled(Exception):
    """Something waits in a queue, and nothing happens any more."""


@dataclass(frozen=True)
class Outcome:
    """What has come of the mail so far."""

    counts: Counter[CountKey]
    entries: dict[str, Entry]
    kept: int
    """Messages in the dead-letter queues."""


class LocalPipeline:
    """The deployed stacks, the local SES in front of them, and what they made of what was sent."""

    def __init__(self, ses: LocalSes, ses_url: str, emulator_url: str, outputs: dict[str, str]) -> None:
        self.ses, self.ses_url, self.emulator_url, self.outputs = ses, ses_url, emulator_url, outputs
        self._mailer = Mailer(ses_url)
        dynamodb = ses.emulated("dynamodb")
        self._counters = CountersTable(dynamodb, outputs["CountersTableName"])
        self._suppressions = SuppressionsTable(dynamodb, outputs["SuppressionsTableName"])
        environment = load("local")
        self._ledger = LedgerTable(dynamodb, outputs["LedgerTableName"], environment.retention)
        self.policy = environment.suppression

    def send(self, mails: Iterable[Mail]) -> Iterator[Mail]:
        """Send messages one by one; each is given back when it is sent."""
        for number, mail in enumerate(mails):
            self._mailer.send(number, mail)
            yield mail

    def apply_settings_again(self) -> None:
        """What an operator does who repeats a deployment's calls: each has SES or S3 send its setup message again."""
        session = boto3.Session("test", "test", region_name=REGION)
        sesv2: Any = session.client("sesv2", endpoint_url=self.ses_url)
        ses: Any = session.client("ses", endpoint_url=self.ses_url)
        s3, bucket = self.ses.emulated("s3"), self.outputs["ArchiveBucketName"]
        notification = s3.get_bucket_notification_configuration(Bucket=bucket)
        notification.pop("ResponseMetadata")
        settings = [(identity, dict(found.topics)) for identity, found in self.ses.settings.items()]
        for _ in range(SETUP_REPEATS):
            for name in sesv2.list_configuration_sets()["ConfigurationSets"]:
                found = sesv2.get_configuration_set_event_destinations(ConfigurationSetName=name)
                for destination in found["EventDestinations"]:
                    sesv2.update_configuration_set_event_destination(
                        ConfigurationSetName=name,
                        EventDestinationName=destination.pop("Name"),
                        EventDestination=destination,
                    )
            for identity, topics in settings:
                for kind, topic in topics.items():
                    ses.set_identity_notification_topic(Identity=identity, NotificationType=kind, SnsTopic=topic)
            s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=notification)
            self.ses.published["setup message", "s3:TestEvent"] += 1

    def outcome(self) -> Outcome:
        """What has come of everything that was sent up to now."""
        counts: Counter[CountKey] = Counter()
        for row, measures in self._counters.rows():
            for measure, count in measures.items():
                counts[CountKey(*row, measure)] += count
        entries = {entry.recipient: entry for entry in self._suppressions.entries()}
        return Outcome(counts, entries, self._messages("FeedbackDeadLetterQueueUrl", "ArchiveDeadLetterQueueUrl"))

    def known_about(self, recipient: str) -> list[Event]:
        """What the ledger has about a recipient."""
        return self._ledger.events_for(recipient)

    def state(self) -> State:
        """What works on the events, and what it put aside."""
        bucket = self.outputs["ArchiveBucketName"]
        queues = []
        for name in ("Feedback", "Archive"):
            kept, _ = self._queue(f"{name}DeadLetterQueueUrl")
            queues.append(QueueState(name, *self._queue(f"{name}QueueUrl"), kept))
        mappings = self.ses.emulated("lambda").list_event_source_mappings()["EventSourceMappings"]
        [stream] = [found for found in mappings if ":dynamodb:" in found["EventSourceArn"]]
        quarantined, uncounted = (
            self.ses.emulated("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)["KeyCount"]
            for prefix in (QUARANTINE_PREFIX, FAILED_BATCHES_PREFIX)
        )
        return State(queues, f"{stream['State'].lower()}, {stream['LastProcessingResult']}", quarantined, uncounted)

    def waiting(self) -> int:
        """Messages in the queues, those in work included."""
        return self._messages("FeedbackQueueUrl", "ArchiveQueueUrl")

    def until_quiet(self) -> Iterator[tuple[int, Outcome]]:
        """What waits and what has come of the mail, again and again until all is done.

        Raises:
            Stalled: if something waits and nothing changes for STALLED_SECONDS.
        """
        self.ses.drain()
        last, since = None, time.monotonic()
        while True:
            state = self.waiting(), self.outcome()
            yield state
            if state != last:
                last, since = state, time.monotonic()
            quiet = time.monotonic() - since
            if quiet > QUIET_SECONDS and state[0] == 0:
                return
            if quiet > STALLED_SECONDS:
                raise Stalled(f"{state[0]} messages wait, and nothing has changed for {STALLED_SECONDS:.0f} seconds.")
            time.sleep(0.5)

    def _messages(self, *queues: str) -> int:
        return sum(sum(self._queue(queue)) for queue in queues)

    def _queue(self, output: str) -> tuple[int, int]:
        """How many messages wait in the queue of that output, and how many are in work."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.ses.emulated("sqs").get_queue_attributes(QueueUrl=self.outputs[output], AttributeNames=names)
        waiting, in_work = (int(answer["Attributes"][name]) for name in names)
        return waiting, in_work


@contextmanager
def deployed(seed: int = 0) -> Generator[LocalPipeline]:
    """The pipeline, from starting the emulator to ending it. Takes about half a minute to be there."""
    with (
        TemporaryDirectory(prefix="aftersend-") as folder,
        local_aws(Path(folder), seed) as (ses, ses_url, emulator_url),
    ):
        bootstrap(emulator_url)
        outputs = deploy(emulator_url, Path(folder), "env=local")
        with published_endpoint(emulator_url, ses_url):
            yield LocalPipeline(ses, ses_url, emulator_url, outputs)


@contextmanager
def local_aws(folder: Path, seed: int = 0) -> Generator[tuple[LocalSes, str, str]]:
    """The local SES, its address, and that of the emulator behind it, with nothing deployed."""
    ses_port = free_port()
    with emulator(folder, ses_port) as emulator_url:
        ses = LocalSes(emulator_url, seed=seed)
        server = serve(ses, emulator_url, ses_port)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield ses, f"http://127.0.0.1:{ses_port}", emulator_url
        finally:
            ses.close()
            server.shutdown()
            server.server_close()


def differences(expectation: Expectation, outcome: Outcome) -> list[str]:
    """Where what came is not what must come; recipients are the generator's inventions and may be named."""
    found = []
    for key in sorted(expectation.counts.keys() | outcome.counts.keys()):
        expected, counted = expectation.counts[key], outcome.counts[key]
        if expected != counted:
            found.append(
                f"{key.tag}={key.value}, sent {key.hour:%d %b %H}h, {key.measure}: {counted} instead of {expected}"
            )
    suppressed = {name: entry.rule for name, entry in outcome.entries.items() if entry.lifted_by is None}
    lifted = {name for name, entry in outcome.entries.items() if entry.lifted_by is not None}
    for name in sorted(expectation.suppressed.keys() | suppressed.keys()):
        expected, by = expectation.suppressed.get(name), suppressed.get(name)
        if expected != by:
            found.append(f"{name}: {by or 'not suppressed'} instead of {expected or 'not suppressed'}")
    found += [f"{name}: {'not ' if name not in lifted else ''}lifted" for name in sorted(lifted ^ expectation.lifted)]
    if outcome.kept:
        found.append(f"{outcome.kept} messages in the dead-letter queues instead of none")
    return found


def rules_tried(mails: Iterable[Mail]) -> Counter[str]:
    """How many bounces and complaints fall under each rule."""
    return sum((mail.rules for mail in mails), Counter[str]())


def undercovered(published: Counter[tuple[str, str]], rules: Counter[str]) -> list[str]:
    """What a run was to try at least AT_LEAST times and did not."""
    wanted = [("Firehose", kind) for kind in EVENT_BODIES]
    wanted += [("SNS", kind) for kind in EVENT_BODIES if kind not in ("Send", "Delivery", "Open", "Click")]
    wanted += [("identity notification", kind) for kind in NOTIFICATION_TYPES]
    wanted += [("setup message", what) for what in SETUP_MESSAGES]
    found = [f"{way}, {what}: {published[way, what]} times" for way, what in wanted if published[way, what] < AT_LEAST]
    return found + [f"rule {rule}: {rules[rule]} times" for rule in RULES if rules[rule] < AT_LEAST]
