"""Give access to the pipeline that runs on this machine: send mail, wait until it is processed, read the results."""

import json
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3

from aftersend.aws.connection import find_deployment
from aftersend.aws.counters_table import CountersTable
from aftersend.aws.deployment import Deployment, LocalRun
from aftersend.aws.ledger_table import LedgerTable
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.config import load
from aftersend.events import Event
from aftersend.metrics.reputation import Level, judge, sentence, watched_hours
from aftersend.suppression import EVERYWHERE, Entry
from local.emulator import REGION
from local.mailer import Mailer
from local.ses import LocalSes, new_id
from local.traffic import CountKey, Mail

SETUP_REPEATS = 5
"""How often settings are applied again; SES and S3 send a setup message each time."""

QUIET_SECONDS = 3.0
"""Processing is complete when the queues have been empty and the result unchanged for so long."""

STALLED_SECONDS = 90.0
"""Processing has failed when messages wait and the result has been unchanged for so long."""

POLL_SECONDS, PAUSE_FACTOR = 0.5, 2
"""The least time between two readings of the result, also as a multiple of what a reading takes."""


class Stalled(Exception):
    """Messages wait in a queue and are no longer processed."""


@dataclass(frozen=True)
class PipelineResult:
    """The counters and suppression entries that the pipeline has made so far."""

    counts: Counter[CountKey]
    entries: dict[str, Entry]
    """Suppression entries by recipient."""
    dead_letters: int
    """Messages in the dead-letter queues."""


class LocalPipeline:
    """The deployed stacks and the local SES in front of them."""

    def __init__(self, ses: LocalSes, run: LocalRun, outputs: dict[str, str], emulator_log: Path) -> None:
        self.ses, self.run, self.outputs, self.emulator_log = ses, run, outputs, emulator_log
        self._mailer = Mailer(run.ses_endpoint)
        dynamodb = ses.emulator_client("dynamodb")
        self._counters = CountersTable(dynamodb, outputs["CountersTableName"])
        self._suppressions = SuppressionsTable(dynamodb, outputs["SuppressionsTableName"])
        self.environment = environment = load("local")
        self._ledger = LedgerTable(dynamodb, outputs["LedgerTableName"], environment.retention)
        self.policy = environment.suppression

    def send(self, mails: Iterable[Mail]) -> Iterator[Mail]:
        """Send messages and yield each one after it was sent."""
        for number, mail in enumerate(mails):
            self._mailer.send(number, mail)
            yield mail

    def store_past(self, mails: Iterable[Mail]) -> None:
        """Store the events of messages that were sent in the past as objects of the archive."""
        rng = random.Random(0)
        self.ses.store_past((mail.message(new_id(mail.sent_at, rng)), mail.events) for mail in mails)

    def apply_settings_again(self) -> None:
        """Repeat the calls of a deployment after which SES and S3 send setup messages."""
        for _ in range(SETUP_REPEATS):
            self._update_event_destinations()
            self._update_notification_topics()
            self._update_bucket_notifications()

    def result(self) -> PipelineResult:
        """Return the counters and suppression entries of this moment."""
        counts: Counter[CountKey] = Counter()
        for row, measures in self._counters.rows():
            for measure, count in measures.items():
                counts[CountKey(*row, measure)] += count
        entries = {entry.recipient: entry for entry in self._suppressions.entries() if entry.scope == EVERYWHERE}
        dead_letters = self._messages("FeedbackDeadLetterQueueUrl", "ArchiveDeadLetterQueueUrl")
        return PipelineResult(counts, entries, dead_letters)

    def events_for(self, recipient: str) -> list[Event]:
        """Return all events of a recipient from the ledger."""
        return self._ledger.events_for(recipient)

    def watch_rates(self) -> dict[str, int]:
        """Invoke the function that judges rates, as its schedule does in AWS; return its counts that are not 0.

        The emulator triggers no function by a schedule.
        """
        return self._invoke("WatchRatesFunctionName")

    def sweep_suppressions(self) -> dict[str, int]:
        """Invoke the function that decides again about temporary entries and counts the list; return its counts."""
        return self._invoke(next(output for output in self.outputs if output.startswith("SweepFunctionName")))

    def _invoke(self, output: str) -> dict[str, int]:
        functions = self.ses.emulator_client("lambda")
        return json.loads(functions.invoke(FunctionName=self.outputs[output])["Payload"].read())

    def verdicts(self, tag: str, now: datetime) -> Iterator[tuple[str, Level]]:
        """Yield the worst verdict on each value of a tag, in a sentence and as its level."""
        for value, by_hour in sorted(self._counters.sums(tag, watched_hours(now)).items()):
            worst = judge(by_hour, now, self.environment.reputation)[0]
            yield sentence(value, worst), worst.level

    def deployment(self) -> Deployment:
        """Return the deployment as commands with `--env local` find it."""
        return find_deployment("local", region=REGION, local_run=self.run)

    def waiting_messages(self) -> int:
        """Return the number of messages in the queues, including those being processed."""
        return self._messages("FeedbackQueueUrl", "ArchiveQueueUrl")

    def wait_until_processed(self) -> Iterator[tuple[int, PipelineResult]]:
        """Yield the number of waiting messages and the result, repeatedly until processing is complete.

        Raises:
            Stalled: if messages wait and nothing changes for STALLED_SECONDS.
        """
        self.ses.drain()
        last, changed_at = None, time.monotonic()
        while True:
            started_at = time.monotonic()
            waiting = self.waiting_messages()
            progress, read_at = (waiting, self.result()), time.monotonic()
            yield progress
            if progress != last:
                last, changed_at = progress, time.monotonic()
            unchanged_seconds = time.monotonic() - changed_at
            if unchanged_seconds > QUIET_SECONDS and waiting == 0:
                return
            if unchanged_seconds > STALLED_SECONDS:
                raise Stalled(f"{waiting} messages wait, but nothing has changed for {STALLED_SECONDS:.0f} seconds.")
            # The emulator has one thread: while it answers this process, it processes nothing.
            time.sleep(max(POLL_SECONDS, PAUSE_FACTOR * (read_at - started_at)))

    def _update_event_destinations(self) -> None:
        sesv2 = self._ses_client("sesv2")
        for name in sesv2.list_configuration_sets()["ConfigurationSets"]:
            answer = sesv2.get_configuration_set_event_destinations(ConfigurationSetName=name)
            for destination in answer["EventDestinations"]:
                destination_name = destination.pop("Name")
                sesv2.update_configuration_set_event_destination(
                    ConfigurationSetName=name, EventDestinationName=destination_name, EventDestination=destination
                )

    def _update_notification_topics(self) -> None:
        ses = self._ses_client("ses")
        for identity, settings in list(self.ses.notification_settings.items()):
            for kind, topic in list(settings.topics.items()):
                ses.set_identity_notification_topic(Identity=identity, NotificationType=kind, SnsTopic=topic)

    def _update_bucket_notifications(self) -> None:
        s3, bucket = self.ses.emulator_client("s3"), self.outputs["ArchiveBucketName"]
        configuration = s3.get_bucket_notification_configuration(Bucket=bucket)
        configuration.pop("ResponseMetadata")
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
        self.ses.publisher.count(("setup message", "s3:TestEvent"))

    def _ses_client(self, name: str) -> Any:
        return boto3.Session("test", "test", region_name=REGION).client(name, endpoint_url=self.run.ses_endpoint)

    def _messages(self, *outputs: str) -> int:
        return sum(sum(self._queue_sizes(output)) for output in outputs)

    def _queue_sizes(self, output: str) -> tuple[int, int]:
        """Return how many messages wait in the queue whose URL is that output, and how many are being processed."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        sqs = self.ses.emulator_client("sqs")
        attributes = sqs.get_queue_attributes(QueueUrl=self.outputs[output], AttributeNames=names)["Attributes"]
        waiting, in_flight = (int(attributes[name]) for name in names)
        return waiting, in_flight

    def _objects(self, prefix: str) -> int:
        s3 = self.ses.emulator_client("s3")
        return s3.list_objects_v2(Bucket=self.outputs["ArchiveBucketName"], Prefix=prefix)["KeyCount"]
