"""Connect SES to the ledger through a topic: record_feedback consumes the queue that is subscribed to it."""

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from aftersend.config import Environment
from stacks.alarms import Alarms
from stacks.queue import ConsumerQueue, DeadLetterQueue
from stacks.recorder_function import RecorderFunction
from stacks.state import State
from stacks.topic import ServiceTopic

BATCH_SIZE = 10
"""Messages that record_feedback handles together: each is one event or a few."""


class FeedbackRoute(Construct):
    """Event publishing and identity notifications arrive on the same topic, seconds after they happened.

    What SNS cannot deliver to the queue, it delivers to the dead-letter queue of the subscription.
    """

    def __init__(
        self, scope: Construct, id: str, *, environment: Environment, state: State, alarms: Alarms, key: kms.Key | None
    ) -> None:
        super().__init__(scope, id)
        self.topic = ServiceTopic(self, "Topic", key=key)
        self.recorder = RecorderFunction(
            self,
            "RecordFeedback",
            file="record_feedback",
            description="Records SES feedback from SNS and updates suppression entries",
            environment=environment,
            state=state,
        )
        self.queues = ConsumerQueue(
            self,
            "Queue",
            consumer=self.recorder,
            batch_size=BATCH_SIZE,
            max_concurrency=environment.functions.feedback_max_concurrency,
        )
        self.subscription_dead_letter_queue = DeadLetterQueue(self, "SubscriptionDeadLetterQueue")
        subscription = subscriptions.SqsSubscription(
            self.queues.queue, raw_message_delivery=True, dead_letter_queue=self.subscription_dead_letter_queue
        )
        self.topic.add_subscription(subscription)
        self._allow_publish(environment)
        alarms.watch(
            self,
            FeedbackDeadLetters=self.queues.dead_letter_queue.metric_dead_letters(),
            FeedbackLate=self.queues.metric_oldest_message_seconds(),
            FeedbackSubscriptionDeadLetters=self.subscription_dead_letter_queue.metric_dead_letters(),
            FeedbackTopicFailed=self.topic.metric_number_of_notifications_failed(),
        )

    def _allow_publish(self, environment: Environment) -> None:
        """Allow SES to publish, for this environment's configuration sets and identities alone."""
        sources = [f"configuration-set/{name}" for name in environment.configuration_sets]
        sources += [f"identity/{name}" for name in environment.identities]
        arns = [cdk.Stack.of(self).format_arn(service="ses", resource=source) for source in sources]
        self.topic.allow_publish_from(
            "ses.amazonaws.com", sid="OnlySesForTheseSetsAndIdentities", conditions={"AWS:SourceArn": arns}
        )
