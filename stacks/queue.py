"""Create a queue with a dead-letter queue and connect it to the function that consumes it."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.acknowledgments import acknowledge
from stacks.function import HandlerFunction

MAX_RECEIVES = 5
"""How often a message is tried before it becomes a dead letter. AWS recommends at least 5 with a function as consumer
("Creating and configuring an Amazon SQS event source mapping", AWS Lambda Developer Guide)."""

TIMEOUTS_INVISIBLE = 6
"""The visibility timeout in timeouts of the function, as the same page recommends: Lambda retries throttled batches."""

RETENTION = cdk.Duration.days(14)
"""The longest that SQS keeps a message."""


class DeadLetterQueue(sqs.Queue):
    """A queue of messages that could not be handled or delivered. They are redriven from it, or expire."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(
            scope, id, retention_period=RETENTION, encryption=sqs.QueueEncryption.SQS_MANAGED, enforce_ssl=True
        )
        acknowledge(self, "It is a dead-letter queue, be it of a subscription.", "SQS3")

    def metric_dead_letters(self) -> cloudwatch.Metric:
        return self.metric_approximate_number_of_messages_visible(statistic="Maximum")


class ConsumerQueue(Construct):
    """Messages go to the function in batches. Those it reports as failed are delivered again, without the others."""

    def __init__(
        self, scope: Construct, id: str, *, consumer: HandlerFunction, batch_size: int, max_concurrency: int
    ) -> None:
        super().__init__(scope, id)
        self.consumer = consumer
        self.dead_letter_queue = DeadLetterQueue(self, "DeadLetterQueue")
        self.queue = sqs.Queue(
            self,
            "Queue",
            visibility_timeout=cdk.Duration.seconds(TIMEOUTS_INVISIBLE * consumer.timeout.to_seconds()),
            retention_period=RETENTION,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letter_queue, max_receive_count=MAX_RECEIVES),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
        )
        source = sources.SqsEventSource(
            self.queue, batch_size=batch_size, report_batch_item_failures=True, max_concurrency=max_concurrency
        )
        consumer.function.add_event_source(source)

    def metric_oldest_message_seconds(self) -> cloudwatch.Metric:
        return self.queue.metric_approximate_age_of_oldest_message(statistic="Maximum")
