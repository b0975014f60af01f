"""Create the contact list behind SES's unsubscribe links."""

from aws_cdk import aws_ses as ses
from constructs import Construct

from aftersend.config import ContactList, Environment
from stacks.removal import removal_policy
from stacks.tags import tag


class SubscriberList(ses.CfnContactList):
    """A contact list with its topics. It stores what people have subscribed to, so it is removed as the tables are."""

    def __init__(
        self, scope: Construct, id: str, *, name: str, settings: ContactList, environment: Environment
    ) -> None:
        super().__init__(
            scope,
            id,
            contact_list_name=name,
            description=settings.description,
            topics=[
                ses.CfnContactList.TopicProperty(
                    topic_name=topic_name,
                    display_name=topic.display_name,
                    description=topic.description,
                    default_subscription_status=topic.default_subscription,
                )
                for topic_name, topic in settings.topics.items()
            ],
        )
        self.apply_removal_policy(removal_policy(environment))
        tag(self, settings.resource_tags)
