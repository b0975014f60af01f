import json
from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk.assertions import Match, Template

from aftersend.contract import CustomResource

MAX_SERVICE_TIMEOUT_SECONDS = 3_600
"""Of a custom resource ("AWS::CloudFormation::CustomResource" in the AWS CloudFormation user guide)."""

UNTRACKED_EVENTS = {
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
    """Return each event destination by its configuration set and its own name."""
    resources = publishing.find_resources("AWS::SES::ConfigurationSetEventDestination").values()
    properties = [resource["Properties"] for resource in resources]
    return {
        (each["ConfigurationSetName"]["Ref"][3:-8], each["EventDestination"]["Name"]): each["EventDestination"]
        for each in properties
    }


def test_feedback_is_published_to_the_topic_and_everything_to_the_archive(
    destinations: dict[tuple[str, str], dict[str, Any]],
):
    feedback = UNTRACKED_EVENTS - {"send", "delivery"}
    assert {name: set(each["MatchingEventTypes"]) for name, each in destinations.items()} == {
        ("newsletter", "feedback"): feedback,
        ("newsletter", "archive"): UNTRACKED_EVENTS | {"open", "click"},
        ("receipts", "feedback"): feedback,
        ("receipts", "archive"): UNTRACKED_EVENTS,
        ("receipts", "shop"): {"delivery", "bounce"},
    }
    assert {
        name: set(each) & {"SnsDestination", "KinesisFirehoseDestination"} for name, each in destinations.items()
    } == {
        ("newsletter", "feedback"): {"SnsDestination"},
        ("newsletter", "archive"): {"KinesisFirehoseDestination"},
        ("receipts", "feedback"): {"SnsDestination"},
        ("receipts", "archive"): {"KinesisFirehoseDestination"},
        ("receipts", "shop"): set(),
    }


def test_ses_may_write_to_the_stream_for_the_configuration_set_alone(publishing: Template):
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


def test_identity_has_a_default_configuration_set_so_that_all_its_mail_has_events(publishing: Template):
    publishing.has_resource_properties(
        "AWS::SES::EmailIdentity",
        {
            "EmailIdentity": "bookshop.example",
            "ConfigurationSetAttributes": {"ConfigurationSetName": {"Ref": Match.string_like_regexp("newsletter")}},
        },
    )


def wanted(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a custom resource, with TOPIC for the reference to the topic."""
    parts = resource["Properties"]["Wanted"]["Fn::Join"][1]
    return json.loads("".join(part if isinstance(part, str) else "TOPIC" for part in parts))


def test_identity_notifies_of_bounces_and_complaints(publishing: Template):
    resources = publishing.find_resources("Custom::IdentityNotifications")
    [resource] = [each for each in resources.values() if each["Properties"]["Identity"] == "bookshop.example"]
    assert wanted(resource) == {"topics": {"Bounce": "TOPIC", "Complaint": "TOPIC"}, "headers": [], "forwarding": False}


def test_cloudformation_waits_longer_than_lambda_retries(publishing: Template):
    """Otherwise the function could still change settings when CloudFormation has given up and gone on."""
    [(name, function)] = [
        (name, function["Properties"])
        for name, function in publishing.find_resources("AWS::Lambda::Function").items()
        if "set_identity_notifications" in function["Properties"]["Handler"]
    ]
    [retries] = [
        each["Properties"]
        for each in publishing.find_resources("AWS::Lambda::EventInvokeConfig").values()
        if each["Properties"]["FunctionName"] == {"Ref": name}
    ]
    custom_resources = [
        each for each in publishing.to_json()["Resources"].values() if each["Type"] in [*CustomResource]
    ]
    timeouts = {int(each["Properties"]["ServiceTimeout"]) for each in custom_resources}
    assert min(timeouts) > retries["MaximumEventAgeInSeconds"] + function["Timeout"]
    assert max(timeouts) <= MAX_SERVICE_TIMEOUT_SECONDS


def test_identities_are_set_one_after_another_and_read_before_they_are_set(publishing: Template):
    """SES takes one call a second; and the previous settings must not be those of this deployment."""
    resources = publishing.to_json()["Resources"]
    pending = {name: each for name, each in resources.items() if each["Type"] in [*CustomResource]}
    order = []
    while pending:
        ready = [name for name, each in pending.items() if not pending.keys() & set(dependencies(each))]
        assert len(ready) == 1, "never two at once"
        resource = pending.pop(ready[0])
        order.append((resource["Type"], resource["Properties"]["Identity"]))
    assert order == [
        (resource_type, name)
        for name in ("bookshop.example", "orders.bookshop.example")
        for resource_type in (CustomResource.PREVIOUS_IDENTITY_NOTIFICATIONS, CustomResource.IDENTITY_NOTIFICATIONS)
    ]


def dependencies(resource: Mapping[str, Any]) -> list[str]:
    reference = resource["Properties"].get("Previous", {"Fn::GetAtt": []})
    return resource.get("DependsOn", []) + reference["Fn::GetAtt"]


def test_identities_are_checked_every_hour(publishing: Template):
    publishing.has_resource_properties("AWS::Events::Rule", {"ScheduleExpression": "rate(1 hour)", "State": "ENABLED"})


def test_dns_records_of_a_domain_are_outputs(publishing: Template):
    outputs = publishing.find_outputs("*")
    values = [output["Value"] for name, output in outputs.items() if name.startswith("DnsRecords")]
    texts = ["".join(part if isinstance(part, str) else "TOKEN" for part in value["Fn::Join"][1]) for value in values]
    dkim = ["TOKEN CNAME TOKEN"] * 3
    assert [text.splitlines() for text in texts] == [
        [
            *dkim,
            "bounce.bookshop.example MX 10 feedback-smtp.eu-west-1.amazonses.com",
            'bounce.bookshop.example TXT "v=spf1 include:amazonses.com ~all"',
        ],
        dkim,
    ]
