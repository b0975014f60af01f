"""A queue that triggers a function, and behind it the dead-letter queue for what the function could not handle."""

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

RECEIVES = 5
"""How often a message is tried before it is kept aside; AWS advises at least five with a function as consumer."""


class ConsumerQueue(sqs.Queue):
    def __init__(self, scope: Construct, id: str, *, consumer_timeout: cdk.Duration) -> None:
        self.dead_letters = sqs.Queue(
            scope,
            f"{id}DeadLetters",
            retention_period=cdk.Duration.days(14),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
        )
        super().__init__(
            scope,
            id,
            # AWS asks for six times the function's timeout: the batch may wait for a free function, and be retried.
            visibility_timeout=cdk.Duration.seconds(6 * consumer_timeout.to_seconds()),
            retention_period=cdk.Duration.days(14),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=RECEIVES),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
        )

    def trigger(self, function: lambda_.Function, *, max_concurrency: int) -> None:
        """Messages go to the function ten at a time; those it reports as failed come back alone."""
        function.add_event_source(
            sources.SqsEventSource(
                self, batch_size=10, report_batch_item_failures=True, max_concurrency=max_concurrency
            )
        )
