import json
from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk.assertions import Match, Template

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
    """Each event destination by the construct of its configuration set and its own name."""
    found = publishing.find_resources("AWS::SES::ConfigurationSetEventDestination").values()
    properties = [resource["Properties"] for resource in found]
    return {
        (each["ConfigurationSetName"]["Ref"][3:-8], each["EventDestination"]["Name"]): each["EventDestination"]
        for each in properties
    }


def test_feedback_goes_to_the_topic_and_everything_to_the_archive(destinations: dict[tuple[str, str], dict[str, Any]]):
    feedback = UNTRACKED_EVENTS - {"send", "delivery"}
    assert {name: set(found["MatchingEventTypes"]) for name, found in destinations.items()} == {
        ("newsletter", "feedback"): feedback,
        ("newsletter", "archive"): UNTRACKED_EVENTS | {"open", "click"},
        ("receipts", "feedback"): feedback,
        ("receipts", "archive"): UNTRACKED_EVENTS,
        ("receipts", "shop"): {"delivery", "bounce"},
    }
    assert {
        name: set(found) & {"SnsDestination", "KinesisFirehoseDestination"} for name, found in destinations.items()
    } == {
        ("newsletter", "feedback"): {"SnsDestination"},
        ("newsletter", "archive"): {"KinesisFirehoseDestination"},
        ("receipts", "feedback"): {"SnsDestination"},
        ("receipts", "archive"): {"KinesisFirehoseDestination"},
        ("receipts", "shop"): set(),
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


def wanted(resource: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a resource, with a stand-in for what is known at deployment only."""
    parts = resource["Properties"]["Wanted"]["Fn::Join"][1]
    return json.loads("".join(part if isinstance(part, str) else "TOPIC" for part in parts))


def test_an_identity_notifies_of_bounces_and_complaints_once_it_is_there(publishing: Template):
    resources = publishing.find_resources("Custom::IdentityNotifications")
    [resource] = [found for found in resources.values() if found["Properties"]["Identity"] == "bookshop.example"]
    assert wanted(resource) == {"topics": {"Bounce": "TOPIC", "Complaint": "TOPIC"}, "headers": [], "forwarding": False}
    assert resource["Properties"]["ServiceTimeout"] == "300"


def test_what_was_set_before_is_looked_up_first_and_one_identity_after_another(publishing: Template):
    """SES takes one call a second; and what is found must not be what we have set."""
    resources = publishing.to_json()["Resources"]
    custom = {
        name: found
        for name, found in resources.items()
        if found["Type"] in ("Custom::PreviousIdentityNotifications", "Custom::IdentityNotifications")
    }
    order, left = [], set(custom)
    while left:
        ready = {name for name in left if not left & set(dependencies(custom[name]))}
        assert len(ready) == 1, "never two at once"
        order += [(custom[name]["Type"][8:], custom[name]["Properties"]["Identity"]) for name in ready]
        left -= ready
    assert order == [
        (kind, name)
        for name in ("bookshop.example", "orders.bookshop.example")
        for kind in ("PreviousIdentityNotifications", "IdentityNotifications")
    ]


def dependencies(resource: Mapping[str, Any]) -> list[str]:
    found = resource["Properties"].get("Previous", {"Fn::GetAtt": []})
    return resource.get("DependsOn", []) + found["Fn::GetAtt"]


def test_identities_that_wait_for_verification_are_looked_after_every_hour(publishing: Template):
    publishing.has_resource_properties("AWS::Events::Rule", {"ScheduleExpression": "rate(1 hour)", "State": "ENABLED"})


def test_the_dns_records_that_verify_a_domain_are_outputs(publishing: Template):
    outputs = publishing.find_outputs("*")
    records = {name: found["Value"] for name, found in outputs.items() if name.startswith("DnsRecords")}
    texts = [
        "".join(part if isinstance(part, str) else "TOKEN" for part in value["Fn::Join"][1])
        for value in records.values()
    ]
    dkim = ["TOKEN CNAME TOKEN"] * 3
    assert [text.splitlines() for text in texts] == [
        [
            *dkim,
            "bounce.bookshop.example MX 10 feedback-smtp.eu-west-1.amazonses.com",
            'bounce.bookshop.example TXT "v=spf1 include:amazonses.com ~all"',
        ],
        dkim,
    ]
