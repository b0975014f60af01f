"""Connect SES to the tables: two routes that record events, and counting."""

from typing import Any

import aws_cdk as cdk
from constructs import Construct

from aftersend.config.alarms import Severity
from aftersend.config.environment import Environment
from stacks.account_list_sync import AccountListSync
from stacks.alarms import Alarms
from stacks.archive_route import ArchiveRoute
from stacks.counting import Counting
from stacks.feedback_route import FeedbackRoute
from stacks.operator_policies import OperatorPolicies
from stacks.outputs import add_outputs
from stacks.state import State
from stacks.topic_encryption import TopicEncryption


class Pipeline(cdk.Stack):
    def __init__(self, scope: Construct, id: str, *, environment: Environment, state: State, **stack: Any) -> None:
        super().__init__(scope, id, description="Aftersend: from events to suppressions and counts", **stack)
        key = TopicEncryption(self, "TopicEncryption", environment=environment).key
        alarms = Alarms(self, "Alarms", environment=environment, key=key)
        feedback = FeedbackRoute(self, "Feedback", environment=environment, state=state, alarms=alarms, key=key)
        archive = ArchiveRoute(self, "Archive", environment=environment, state=state, alarms=alarms)
        Counting(self, "Counting", environment=environment, state=state, alarms=alarms)
        AccountListSync(self, "AccountList", environment=environment, state=state, alarms=alarms)
        policies = OperatorPolicies(
            self, "Policies", environment=environment, state=state, alarms=alarms, feedback=feedback, archive=archive
        )
        add_outputs(
            self,
            AlarmTopicArn=alarms.topics[Severity.PAGE].topic_arn,
            TicketTopicArn=alarms.topics[Severity.TICKET].topic_arn,
            FeedbackTopicArn=feedback.topic.topic_arn,
            FeedbackQueueUrl=feedback.queues.queue.queue_url,
            FeedbackDeadLetterQueueUrl=feedback.queues.dead_letter_queue.queue_url,
            FeedbackSubscriptionDeadLetterQueueUrl=feedback.undelivered.queue_url,
            ArchiveQueueUrl=archive.queues.queue.queue_url,
            ArchiveDeadLetterQueueUrl=archive.queues.dead_letter_queue.queue_url,
            ReaderPolicyArn=policies.reader.managed_policy_arn,
            OperatorPolicyArn=policies.operator.managed_policy_arn,
        )
        # Publishing may stop using any of these, as where no `archive` has an event. Exports must stay: this stack is
        # deployed first, and CloudFormation removes no export that is still in use.
        for topic in (feedback.topic, *alarms.topics.values()):
            self.export_value(topic.topic_arn)
        self.export_value(archive.stream.delivery_stream_arn)
        self.alarms, self.feedback, self.archive = alarms, feedback, archive
