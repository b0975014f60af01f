from typing import Any

import pytest
from aws_cdk.assertions import Match, Template

WITHOUT_TRACKING = {
    "send",
    "delivery",
    "bounce",
    "complaint",
    "reject",
    "renderingFailure",
    "deliveryDelay",
    "subscription",
}


@pytest.fixture(scope="session")
def publishing(templates: dict[str, Template]) -> Template:
    return templates["Publishing"]


@pytest.fixture(scope="session")
def destinations(publishing: Template) -> dict[tuple[str, str], dict[str, Any]]:
    """Each event destination by the construct of its configuration set and its own name."""
    found = publishing.find_resources("AWS::SES::ConfigurationSetEventDestination").values()
    properties = [resource["Properties"] for resource in found]
    return {
        (each["ConfigurationSetName"]["Ref"][3:-8], each["EventDestination"]["Name"]): each["EventDestination"]
        for each in properties
    }


def test_feedback_goes_to_the_topic_and_everything_to_the_archive(destinations: dict[tuple[str, str], dict[str, Any]]):
    feedback = WITHOUT_TRACKING - {"send", "delivery"}
    assert {name: set(found["MatchingEventTypes"]) for name, found in destinations.items()} == {
        ("newsletter", "feedback"): feedback,
        ("newsletter", "archive"): WITHOUT_TRACKING | {"open", "click"},
        ("receipts", "feedback"): feedback,
        ("receipts", "archive"): WITHOUT_TRACKING,
    }
    assert {
        name: set(found) & {"SnsDestination", "KinesisFirehoseDestination"} for name, found in destinations.items()
    } == {
        ("newsletter", "feedback"): {"SnsDestination"},
        ("newsletter", "archive"): {"KinesisFirehoseDestination"},
        ("receipts", "feedback"): {"SnsDestination"},
        ("receipts", "archive"): {"KinesisFirehoseDestination"},
    }


def test_ses_may_write_to_the_stream_only_for_the_configuration_set(publishing: Template):
    publishing.has_resource_properties(
        "AWS::IAM::Role",
        {
            "AssumeRolePolicyDocument": {
                "Statement": [
                    {
                        "Principal": {"Service": "ses.amazonaws.com"},
                        "Condition": {
                            "StringEquals": {"AWS:SourceAccount": "222222222222", "AWS:SourceArn": Match.any_value()}
                        },
                    }
                ]
            },
            "Policies": [{"PolicyDocument": {"Statement": [{"Action": "firehose:PutRecordBatch"}]}}],
        },
    )


def test_an_identity_has_a_default_configuration_set_so_that_all_its_mail_is_seen(publishing: Template):
    publishing.has_resource_properties(
        "AWS::SES::EmailIdentity",
        {
            "EmailIdentity": "bookshop.example",
            "ConfigurationSetAttributes": {"ConfigurationSetName": {"Ref": Match.string_like_regexp("newsletter")}},
        },
    )


def test_an_identity_notifies_of_bounces_and_complaints_once_it_is_there(publishing: Template):
    publishing.has_resource(
        "Custom::IdentityNotifications",
        {
            "Properties": {
                "Identity": "bookshop.example",
                "Topics": {"Bounce": Match.any_value(), "Complaint": Match.any_value(), "Delivery": Match.absent()},
                "ServiceTimeout": "120",
            },
            "DependsOn": [Match.string_like_regexp("Identitybookshopexample")],
        },
    )


def test_setting_notifications_takes_one_permission(publishing: Template):
    publishing.has_resource_properties(
        "AWS::IAM::Policy",
        {
            "PolicyDocument": {
                "Statement": [{"Action": "ses:SetIdentityNotificationTopic", "Resource": "*", "Effect": "Allow"}]
            }
        },
    )
