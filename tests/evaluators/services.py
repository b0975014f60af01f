"""Model what AWS and our functions publish as metrics, minute by minute, in health and with a part broken.

What our functions publish is what they print: they are run. What AWS publishes follows the lists of metrics in the
developer guides of Amazon SQS, Amazon SNS, AWS Lambda and Amazon Data Firehose. It matters most when a service
publishes nothing: a queue that was not used for six hours, a function that was not invoked, a stream without records.
"""

import gzip
import json
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from aftersend.contract import (
    EVENTS_PREFIX,
    FAILED_BATCHES_PREFIX,
    FIREHOSE_ERRORS_PREFIX,
    IDENTITIES_PREFIX,
    RATES_EVERY_MINUTES,
    CountCheck,
    Variable,
)
from tests.adapters.identities import IDENTITY, new_request
from tests.evaluators.account import Account
from tests.evaluators.alarms import Metrics
from tests.evaluators.faults import (
    ACCOUNT_LIST_FAULTS,
    RATE_FAULTS,
    SWEEP_FAULTS,
    Fault,
    break_account_list,
    break_identities,
    break_rates,
    break_suppressions,
)
from tests.evaluators.queues import Message, Queue
from tests.evaluators.sends import Mail, record_canary
from tests.evaluators.templates import Resource, Templates
from tests.world.world import BEGIN

MAPPING = "AWS::Lambda::EventSourceMapping"

HOUR = 60

OBJECT_MINUTES = 15
"""How often Firehose writes an object."""

CHECK_MINUTE = 17
"""When in an hour the check of identities runs."""


@dataclass
class Stream:
    """The stream of a table, and what can break in the function that reads it."""

    function: str
    failing: Fault
    failing_unstored: Fault
    undecodable: Fault
    changes: deque[int] = field(default_factory=deque)
    """When the changes happened that are not processed yet."""


class Services:
    """An environment while mail is sent, or while none is."""

    def __init__(self, templates: Templates, *, mail: bool) -> None:
        self.minute = 0
        self.metrics = Metrics()
        self.faults: set[Fault] = set()
        self._mail = mail
        self._templates = templates
        self._functions = templates.functions()
        self._mappings = {mapping.properties["FunctionName"]: mapping for mapping in templates.of_type(MAPPING)}
        self._feedback = self._queue_of("record_feedback")
        self._archive = self._queue_of("record_archive")
        self._subscription = next(
            subscription
            for subscription in templates.of_type("AWS::SNS::Subscription")
            if subscription.properties["Endpoint"] == self._feedback.resource.arn
        )
        self._undelivered = self._dead_letter_queue(self._subscription)
        self._streams = (
            Stream("count_tags", Fault.COUNTING_FAILS, Fault.COUNTING_FAILS_UNSTORED, Fault.CHANGES_UNCOUNTABLE),
            Stream(
                "publish_suppressions",
                Fault.EVENTS_REFUSED,
                Fault.EVENTS_REFUSED_UNSTORED,
                Fault.CHANGES_UNPUBLISHABLE,
            ),
        )
        self._documents: dict[tuple[str, frozenset[Fault]], list[dict[str, Any]]] = {}
        """What a function printed with these faults."""
        self._stuck_minutes = 0
        """How long Firehose has not delivered."""
        self.account = Account(templates)
        self.account.invoke("set_identity_notifications", new_request("Create"))
        settings = self._functions["check_counts"].properties["Environment"]["Variables"]
        self._count_check = msgspec.json.decode(settings[Variable.COUNT_CHECK], type=CountCheck)
        self.mail = Mail(self.account, self._count_check.configuration_sets)

    def run(self, minutes: int) -> None:
        for _ in range(minutes):
            if self._mail:
                self.mail.send(self._now, self.faults)
            self._publish_feedback()
            self._poll(self._feedback, "record_feedback", is_polled=Fault.FEEDBACK_NOT_POLLED not in self.faults)
            self._archive_events()
            self._poll(self._archive, "record_archive", is_polled=Fault.ARCHIVE_NOT_POLLED not in self.faults)
            for stream in self._streams:
                self._read(stream)
            if self.minute % HOUR == CHECK_MINUTE:
                self._check()
                self._compare_account_list()
                self._sweep()
                self._check_counts()
                self._send_canary()
            if self.minute % RATES_EVERY_MINUTES == 0:
                self._watch_rates()
            queues = [self._feedback, self._archive, self._undelivered]
            queues += [queue.dead_letters for queue in queues if queue]
            for queue in queues:
                if queue:
                    queue.publish(self.metrics, self.minute)
            self.minute += 1

    def repair(self) -> None:
        """End all faults, as an operator does: dead letters and other failed records are redriven."""
        self.faults.clear()
        self.mail.repair()
        for queue in (self._feedback, self._archive):
            assert queue.dead_letters
            for message in [*queue.messages, *queue.dead_letters.messages]:
                message.is_poisoned, message.receives = False, 0
            queue.messages += queue.dead_letters.messages
            queue.dead_letters.messages.clear()
        if self._undelivered:
            self._undelivered.messages.clear()
        objects = self.account.s3.objects
        for key in [key for key in objects if not key.startswith((EVENTS_PREFIX, f"{IDENTITIES_PREFIX}{IDENTITY}"))]:
            del objects[key]

    def _publish_feedback(self) -> None:
        """SES publishes feedback to the topic, which delivers it to the queue or to its own dead-letter queue."""
        if not self._mail or Fault.SES_SILENT in self.faults:
            return
        is_failing = Fault.FEEDBACK_NOT_DELIVERED in self.faults
        topic = {"TopicName": self._templates.by_arn(self._subscription.properties["TopicArn"]).name}
        outcome = "NumberOfNotificationsFailed" if is_failing else "NumberOfNotificationsDelivered"
        self.metrics.publish(self.minute, "AWS/SNS", topic, NumberOfMessagesPublished=1, **{outcome: 1})
        message = Message(self.minute, is_poisoned=Fault.FEEDBACK_POISONED in self.faults)
        if not is_failing:
            self._feedback.send(message, self.minute)
        elif self._undelivered:
            self.metrics.publish(self.minute, "AWS/SNS", topic, NumberOfNotificationsRedrivenToDlq=1)
            self._undelivered.send(message, self.minute)

    def _archive_events(self) -> None:
        """SES writes events to Firehose, which writes an object from time to time and publishes how old its records
        are. It publishes nothing without records."""
        if not self._mail or Fault.SES_SILENT in self.faults:
            return
        is_stuck, is_throttled = Fault.FIREHOSE_STUCK in self.faults, Fault.FIREHOSE_THROTTLED in self.faults
        stream = self._templates.only("AWS::KinesisFirehose::DeliveryStream")
        interval = stream.properties["ExtendedS3DestinationConfiguration"]["BufferingHints"]["IntervalInSeconds"]
        self._stuck_minutes = self._stuck_minutes + 1 if is_stuck else 0
        values = {
            "DeliveryToS3.DataFreshness": interval + 60 * self._stuck_minutes,
            "ThrottledRecords": int(is_throttled),
        }
        self.metrics.publish(self.minute, "AWS/Firehose", {"DeliveryStreamName": stream.name}, **values)
        if Fault.FIREHOSE_REFUSED in self.faults:
            self.account.s3.objects[f"{FIREHOSE_ERRORS_PREFIX}{self.minute}"] = b""
        if self.minute % OBJECT_MINUTES == 0 and not is_stuck:
            self._archive.send(Message(self.minute, Fault.ARCHIVE_POISONED in self.faults), self.minute)

    def _poll(self, queue: Queue, function: str, *, is_polled: bool) -> None:
        """Lambda hands messages to a function; poisoned ones return to the queue. The invocation itself succeeds."""
        batch = queue.receive(self.minute) if is_polled else []
        if not batch:
            return
        for message in batch:
            if not message.is_poisoned:
                queue.messages.remove(message)
        self._publish_invocation(function, errors=0)
        if function == "record_archive":
            self._record_archive()

    def _record_archive(self) -> None:
        """Run the function over an object, for the metrics that it prints."""
        key = f"{EVENTS_PREFIX}{self.minute}.gz"
        line = b"damaged\n" if Fault.LINES_DAMAGED in self.faults else b"\n"
        self.account.s3.objects[key] = gzip.compress(line)
        notification = {"Records": [{"s3": {"bucket": {"name": self.account.bucket}, "object": {"key": key}}}]}
        message = {"messageId": "1", "body": json.dumps(notification), "eventSource": "aws:sqs"}
        self._publish_documents(self.account.invoke("record_archive", {"Records": [message]}))

    def _read(self, stream: Stream) -> None:
        """Invoke a function with the changes of its table; a batch that fails is retried until it is discarded."""
        function, changes = stream.function, stream.changes
        if function == "count_tags" and Fault.COUNTING_STOPPED in self.faults:
            return
        mapping = self._mappings[self._functions[function].name]
        if self._mail and Fault.SES_SILENT not in self.faults:
            changes.append(self.minute)
        if not changes:
            return
        is_failing = bool(self.faults & {stream.failing, stream.failing_unstored})
        age = self.minute - changes[0]
        self.metrics.publish(self.minute, "AWS/Lambda", self._dimensions(function), IteratorAge=60_000 * age + 500)
        # An invocation that returns which records failed is no error.
        is_error = is_failing and "ReportBatchItemFailures" not in mapping.properties.get("FunctionResponseTypes", ())
        self._publish_invocation(function, errors=int(is_error))
        if stream.undecodable in self.faults:
            self._publish_documents(self.account.invoke(function, an_undecodable_change(self.minute)))
        events = {"PolledEventCount": 1, "InvokedEventCount": 1, "FailedInvokeEventCount": int(is_failing)}
        if not is_failing:
            changes.clear()
        elif self._is_given_up(mapping, age):
            changes.popleft()
            events |= self._store_failed_batch(mapping, is_stored=stream.failing_unstored not in self.faults)
        if "EventCount" in mapping.properties.get("MetricsConfig", {}).get("Metrics", ()):
            self.metrics.publish(self.minute, "AWS/Lambda", {"EventSourceMappingUUID": mapping.name}, **events)

    def _is_given_up(self, mapping: Resource, age_minutes: int) -> bool:
        retries = mapping.properties.get("MaximumRetryAttempts", -1)
        maximum_age = mapping.properties.get("MaximumRecordAgeInSeconds", -1)
        return 0 <= retries <= age_minutes or 0 < maximum_age <= 60 * age_minutes

    def _store_failed_batch(self, mapping: Resource, *, is_stored: bool) -> dict[str, int]:
        """Store a discarded batch. It counts as dropped only if it cannot be stored ("Event source mapping
        metrics" in the Lambda developer guide)."""
        destination = mapping.properties.get("DestinationConfig", {}).get("OnFailure")
        if not destination or not is_stored:
            return {"DroppedEventCount": 1}
        self.account.s3.objects[f"{FAILED_BATCHES_PREFIX}{self.minute}"] = b"{}"
        return {"OnFailureDestinationDeliveredEventCount": 1}

    def _check(self) -> None:
        """Invoke check_identities as the schedule does, for the metrics that it prints."""
        if Fault.CHECK_NOT_SCHEDULED in self.faults:
            return
        fails = Fault.CHECK_FAILS in self.faults
        self._publish_invocation("check_identities", errors=int(fails))
        if not fails:
            break_identities(self.account, self.faults)
            self._publish_documents(self.account.invoke("check_identities"))

    def _compare_account_list(self) -> None:
        """The schedule invokes sync_account_list."""
        if Fault.SYNC_NOT_SCHEDULED not in self.faults:
            break_account_list(self.account, self.faults)
            self._run_once("sync_account_list", ACCOUNT_LIST_FAULTS)

    def _sweep(self) -> None:
        """The schedule invokes sweep_suppressions."""
        if Fault.SWEEP_NOT_SCHEDULED not in self.faults:
            break_suppressions(self.account, self.faults)
            self._run_once("sweep_suppressions", SWEEP_FAULTS)

    def _watch_rates(self) -> None:
        """The schedule invokes watch_rates."""
        if Fault.RATES_NOT_SCHEDULED not in self.faults:
            if ("watch_rates", frozenset(self.faults & RATE_FAULTS)) not in self._documents:
                break_rates(self.account, self.faults)
            self._run_once("watch_rates", RATE_FAULTS)

    def _run_once(self, function: str, concerning: set[Fault]) -> None:
        """Publish what a function prints. It is run once for the same faults: its metrics do not depend on time."""
        key = function, frozenset(self.faults & concerning)
        if key not in self._documents:
            self._documents[key] = self.account.invoke(function)
        self._publish_documents(self._documents[key])

    def _check_counts(self) -> None:
        """The schedule invokes check_counts, which is run for the metrics that it prints."""
        self.mail.write_counters(self._now, self._count_check.max_tag_values, self.faults)
        if Fault.COUNT_CHECK_NOT_SCHEDULED not in self.faults:
            self._publish_documents(self.account.invoke("check_counts", self._schedule()))

    def _send_canary(self) -> None:
        """The schedule invokes send_canary, whose messages have events soon after."""
        self.account.sending.is_refusing = Fault.CANARY_REFUSED in self.faults
        if Fault.CANARY_NOT_SCHEDULED not in self.faults:
            self._publish_documents(self.account.invoke("send_canary", self._schedule()))
        record_canary(self.account, self.faults)

    @property
    def _now(self) -> datetime:
        return BEGIN + timedelta(minutes=self.minute)

    def _schedule(self) -> dict[str, str]:
        return {"source": "aws.events", "time": f"{self._now:%Y-%m-%dT%H:%M:%SZ}"}

    def _publish_invocation(self, function: str, *, errors: int) -> None:
        """Lambda publishes errors only of functions that are invoked."""
        dimensions = self._dimensions(function)
        self.metrics.publish(self.minute, "AWS/Lambda", dimensions, Invocations=1, Errors=errors, Throttles=0)

    def _publish_documents(self, documents: list[dict[str, Any]]) -> None:
        for document in documents:
            self.metrics.publish_document(self.minute, document)

    def _dimensions(self, function: str) -> dict[str, str]:
        return {"FunctionName": self._functions[function].name}

    def _queue_of(self, function: str) -> Queue:
        mapping = self._mappings[self._functions[function].name]
        queue = self._templates.by_arn(mapping.properties["EventSourceArn"])
        return Queue(queue, self._dead_letter_queue(queue))

    def _dead_letter_queue(self, resource: Resource) -> Queue | None:
        policy = resource.properties.get("RedrivePolicy")
        return Queue(self._templates.by_arn(policy["deadLetterTargetArn"])) if policy else None


def an_undecodable_change(number: int) -> dict[str, Any]:
    """Return a batch of a stream with an item that is neither an event nor a suppression entry."""
    item = {"partition_key": {"S": "a"}, "sort_key": {"S": "volume#message#Unknown#0"}, "kind": {"N": "7"}}
    keys = {name: item[name] for name in ("partition_key", "sort_key")}
    change = {"SequenceNumber": str(number), "Keys": keys, "NewImage": item}
    return {"Records": [{"eventName": "INSERT", "dynamodb": change}], "shardId": "shardId-0"}
