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
    sets = publishing.find_resources("AWS::SES::ConfigurationSet")
    names = {key: resource["Properties"]["Name"] for key, resource in sets.items()}
    return {
        (names[each["ConfigurationSetName"]["Ref"]], each["EventDestination"]["Name"]): each["EventDestination"]
        for each in properties
    }


def test_feedback_is_published_to_the_topic_and_everything_to_the_archive(
    destinations: dict[tuple[str, str], dict[str, Any]],
):
    feedback = UNTRACKED_EVENTS - {"send", "delivery"}
    assert {name: set(each["MatchingEventTypes"]) for name, each in destinations.items()} == {
        ("newsletter", "feedback"): feedback,
        ("newsletter", "archive"): UNTRACKED_EVENTS | {"open", "click"},
        ("newsletter", "sends"): {"send"},
        ("receipts", "feedback"): feedback,
        ("receipts", "archive"): UNTRACKED_EVENTS,
        ("receipts", "sends"): {"send"},
        ("receipts", "shop"): {"delivery", "bounce"},
    }
    assert {
        name: set(each) & {"SnsDestination", "KinesisFirehoseDestination"} for name, each in destinations.items()
    } == {
        ("newsletter", "feedback"): {"SnsDestination"},
        ("newsletter", "archive"): {"KinesisFirehoseDestination"},
        ("newsletter", "sends"): set(),
        ("receipts", "feedback"): {"SnsDestination"},
        ("receipts", "archive"): {"KinesisFirehoseDestination"},
        ("receipts", "sends"): set(),
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
    """Otherwise the function could still change settings after CloudFormation has timed out and continued."""
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


def test_resources_of_ses_are_created_one_after_another(publishing: Template):
    """SES takes one control call a second; and the previous settings must not be those of this deployment."""
    order = creation_order(publishing.to_json()["Resources"])
    names = [(kind.rpartition("::")[2], name) for kind, name in order]
    for created, name in (("EmailIdentity", "bookshop.example"), ("EmailIdentity", "orders.bookshop.example")):
        start = names.index((created, name))
        assert names[start + 1 : start + 3] == [
            ("PreviousIdentityNotifications", name),
            ("IdentityNotifications", name),
        ]
    assert [kind for kind, _ in names[:9]] == [
        *["ConfigurationSet", *["ConfigurationSetEventDestination"] * 3],
        *["ConfigurationSet", *["ConfigurationSetEventDestination"] * 4],
    ]
    assert len(names) == 9 + 2 * 3


def test_ses_counts_the_sends_of_a_configuration_set_by_its_name_alone(
    destinations: dict[tuple[str, str], dict[str, Any]],
):
    dimension = {
        "DimensionName": "ses:configuration-set",
        "DimensionValueSource": "messageTag",
        "DefaultDimensionValue": "none",
    }
    for name in ("newsletter", "receipts"):
        assert destinations[name, "sends"]["CloudWatchDestination"] == {"DimensionConfigurations": [dimension]}


def creation_order(resources: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return type and name of the resources that call SES, in the only order in which they can be created.

    Raises:
        AssertionError: if there is another order.
    """
    pending = {name: each for name, each in resources.items() if each["Type"].startswith("AWS::SES::")}
    pending |= {name: each for name, each in resources.items() if each["Type"] in [*CustomResource]}
    order = []
    while pending:
        ready = [name for name, each in pending.items() if not pending.keys() & references(each)]
        assert len(ready) == 1, f"CloudFormation would create these at once: {ready}"
        resource = pending.pop(ready[0])
        properties = resource["Properties"]
        name = properties.get("Identity") or properties.get("EmailIdentity") or properties.get("Name", "")
        order.append((resource["Type"], name))
    return order


def references(value: Any) -> set[str]:
    """Return the ids that a resource depends on or refers to."""
    if isinstance(value, list):
        return set().union(*map(references, value))
    if not isinstance(value, dict):
        return set()
    ids = {*value.get("DependsOn", ())} | ({value["Ref"]} if "Ref" in value else set())
    ids |= {value["Fn::GetAtt"][0]} if "Fn::GetAtt" in value else set()
    return ids.union(*map(references, value.values()))


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


def test_role_of_ses_is_created_well_before_ses_has_to_assume_it(publishing: Template):
    """A role is not known everywhere at once: SES would refuse the destination ("Could not assume IAM role")."""
    sets = publishing.find_resources("AWS::SES::ConfigurationSet").values()
    awaited = {name for each in sets for name in each.get("DependsOn", ())}
    for destination in publishing.find_resources("AWS::SES::ConfigurationSetEventDestination").values():
        stream = destination["Properties"]["EventDestination"].get("KinesisFirehoseDestination")
        assert stream is None or stream["IAMRoleARN"]["Fn::GetAtt"][0] in awaited
