"""Create a queue with a dead-letter queue and connect it to the function that consumes it."""

import aws_cdk as cdk
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.function import HandlerFunction

MAX_RECEIVES = 5
"""How often a message is tried before it becomes a dead letter. AWS recommends at least 5 with a function as consumer
("Creating and configuring an Amazon SQS event source mapping", AWS Lambda Developer Guide)."""

TIMEOUTS_INVISIBLE = 6
"""The visibility timeout in timeouts of the function, as the same page recommends: Lambda retries throttled batches."""

RETENTION = cdk.Duration.days(14)
"""The longest that SQS keeps a message."""


class ConsumerQueue(Construct):
    """Messages go to the function ten at a time. Those it reports as failed are delivered again, without the others."""

    def __init__(self, scope: Construct, id: str, *, consumer: HandlerFunction, max_concurrency: int) -> None:
        super().__init__(scope, id)
        self.consumer = consumer
        self.dead_letter_queue = sqs.Queue(
            self,
            "DeadLetterQueue",
            retention_period=RETENTION,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
        )
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
            self.queue,
            batch_size=10,
            report_batch_item_failures=True,
            max_concurrency=max_concurrency,
        )
        consumer.function.add_event_source(source)
