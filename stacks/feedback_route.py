"""Connect SES to the ledger through a topic: record_feedback consumes the queue that is subscribed to it."""

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from aftersend.config.environment import Environment
from stacks.alarms import Alarms
from stacks.queue import ConsumerQueue
from stacks.queue_alarms import QueueAlarms
from stacks.recorder_function import RecorderFunction
from stacks.state import State
from stacks.topic import ServiceTopic


class FeedbackRoute(Construct):
    """Event publishing and identity notifications arrive on the same topic, seconds after they happened."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        state: State,
        alarms: Alarms,
        key: kms.Key | None,
    ) -> None:
        super().__init__(scope, id)
        self.topic = ServiceTopic(self, "Topic", key=key)
        recorder = RecorderFunction(
            self,
            "RecordFeedback",
            file="record_feedback",
            description="Records SES feedback from SNS and updates suppression entries",
            environment=environment,
            state=state,
        )
        self.queues = ConsumerQueue(
            self, "Queue", consumer=recorder, max_concurrency=environment.functions.feedback_max_concurrency
        )
        subscription = subscriptions.SqsSubscription(self.queues.queue, raw_message_delivery=True)
        self.topic.add_subscription(subscription)
        self._allow_publish(environment)
        QueueAlarms(self, "Alarms", route="Feedback", queues=self.queues, alarms=alarms)

    def _allow_publish(self, environment: Environment) -> None:
        """Allow SES to publish, for this environment's configuration sets and identities alone."""
        sources = [f"configuration-set/{name}" for name in environment.configuration_sets]
        sources += [f"identity/{name}" for name in environment.identities]
        arns = [cdk.Stack.of(self).format_arn(service="ses", resource=source) for source in sources]
        self.topic.allow_publish_from(
            "ses.amazonaws.com", sid="OnlySesForTheseSetsAndIdentities", conditions={"AWS:SourceArn": arns}
        )
