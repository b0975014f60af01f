"""Hold every setting of an environment in the templates. What the emulator does not support is tested only here."""

import json
from typing import Any

import aws_cdk as cdk
import msgspec
import pytest
from aws_cdk.assertions import Match, Template

from aftersend.config.loader import load
from aftersend.contract import CountCheck
from aftersend.metrics.reputation import Reputation
from tests.stacks.conftest import PROJECT


@pytest.fixture(scope="session")
def publishing(full_templates: dict[str, Template]) -> Template:
    return full_templates["Publishing"]


def properties(template: Template, resource_type: str, **expected: Any) -> list[dict[str, Any]]:
    """Return the properties of the resources of a type that have the expected ones."""
    resources = template.find_resources(resource_type).values()
    return [each["Properties"] for each in resources if expected.items() <= each["Properties"].items()]


def test_configuration_set_has_every_option(publishing: Template):
    [options] = properties(publishing, "AWS::SES::ConfigurationSet", Name="kept")
    tags = {tag["Key"]: tag["Value"] for tag in options.pop("Tags")}
    assert tags == {"aftersend:environment": "change", "of": "set-b", "step": "b"}
    assert options == {
        "Name": "kept",
        "ArchivingOptions": {"ArchiveArn": "arn:aws:ses:us-east-1:000000000000:mailmanager-archive/b-2"},
        "DeliveryOptions": {"MaxDeliverySeconds": 3600, "SendingPoolName": "pool-b", "TlsPolicy": "REQUIRE"},
        "ReputationOptions": {"ReputationMetricsEnabled": True},
        "SendingOptions": {"SendingEnabled": False},
        "SuppressionOptions": {
            "SuppressedReasons": [],
            "ValidationOptions": {
                "ConditionThreshold": {
                    "ConditionThresholdEnabled": "ENABLED",
                    "OverallConfidenceThreshold": {"ConfidenceVerdictThreshold": "HIGH"},
                }
            },
        },
        "TrackingOptions": {"CustomRedirectDomain": "links-b.kept.example", "HttpsPolicy": "REQUIRE"},
        "VdmOptions": {
            "DashboardOptions": {"EngagementMetrics": "ENABLED"},
            "GuardianOptions": {"OptimizedSharedDelivery": "ENABLED"},
        },
    }


def test_option_that_is_not_set_is_left_to_ses_so_that_paused_sending_is_not_resumed(publishing: Template):
    [options] = properties(publishing, "AWS::SES::ConfigurationSet", Name="only-b")
    del options["Tags"]
    assert options == {"Name": "only-b", "ReputationOptions": {"ReputationMetricsEnabled": False}}


def test_event_destinations_of_every_kind_have_exactly_their_event_types(publishing: Template):
    destinations = {
        each["EventDestination"]["Name"]: each["EventDestination"]
        for each in properties(publishing, "AWS::SES::ConfigurationSetEventDestination")
        if "kept" in str(each["ConfigurationSetName"])
    }
    assert destinations["metrics"] == {
        "Name": "metrics",
        "Enabled": False,
        "MatchingEventTypes": ["bounce", "renderingFailure"],
        "CloudWatchDestination": {
            "DimensionConfigurations": [
                {"DimensionName": name, "DimensionValueSource": source, "DefaultDimensionValue": default}
                for name, source, default in (
                    ("genre", "linkTag", "other"),
                    ("X-Shop", "emailHeader", "missing"),
                    ("ses:from-domain", "messageTag", "none"),
                )
            ]
        },
    }
    assert destinations["topic"]["SnsDestination"] == {"TopicARN": "arn:aws:sns:us-east-1:000000000000:listener-b"}
    stream = destinations["stream"]["KinesisFirehoseDestination"]
    assert stream["DeliveryStreamARN"] == "arn:aws:firehose:us-east-1:000000000000:deliverystream/listener-b"
    assert set(destinations) == {"feedback", "archive", "sends", "metrics", "topic", "stream", "either"}


def test_event_bridge_destination_is_the_default_event_bus(templates: dict[str, Template]):
    [destination] = [
        each["EventDestination"]
        for each in properties(templates["Publishing"], "AWS::SES::ConfigurationSetEventDestination")
        if each["EventDestination"]["Name"] == "shop"
    ]
    bus = "arn:aws:events:eu-west-1:222222222222:event-bus/default"
    assert destination["EventBridgeDestination"] == {"EventBusArn": bus}


def test_domain_has_dkim_and_mail_from_settings(publishing: Template):
    [identity] = properties(publishing, "AWS::SES::EmailIdentity", EmailIdentity="kept.example")
    assert identity["DkimAttributes"] == {"SigningEnabled": False}
    assert identity["DkimSigningAttributes"] == {"NextSigningKeyLength": "RSA_1024_BIT"}
    assert identity["MailFromAttributes"] == {
        "MailFromDomain": "bounce-b.kept.example",
        "BehaviorOnMxFailure": "REJECT_MESSAGE",
    }


def test_existing_identity_is_not_created_but_its_notifications_are_set(publishing: Template):
    assert not properties(publishing, "AWS::SES::EmailIdentity", EmailIdentity="there.example")
    assert properties(publishing, "Custom::IdentityNotifications", Identity="there.example")


def test_contact_list_is_kept_in_the_state_with_its_topics(publishing: Template, full_templates: dict[str, Template]):
    """It stores what people have subscribed to, which is stored nowhere else."""
    assert not publishing.find_resources("AWS::SES::ContactList")
    [resource] = full_templates["State"].find_resources("AWS::SES::ContactList").values()
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert resource["Properties"]["ContactListName"] == "readers"
    assert resource["Properties"]["Topics"] == [
        {
            "TopicName": "new-books",
            "DisplayName": "New books and audiobooks",
            "Description": "Once a month",
            "DefaultSubscriptionStatus": "OPT_IN",
        }
    ]


def test_only_the_state_is_protected_from_termination(stacks: dict[str, cdk.Stack]):
    assert {name: stack.termination_protection for name, stack in stacks.items()} == {
        "State": True,
        "Pipeline": False,
        "Publishing": False,
        "Dashboard": False,
    }


def test_logs_expire_as_the_environment_says(full_templates: dict[str, Template]):
    for name in ("Pipeline", "Publishing"):
        groups = properties(full_templates[name], "AWS::Logs::LogGroup")
        assert {group["RetentionInDays"] for group in groups} == {14}


def test_drift_is_restored_where_the_environment_says_so(publishing: Template):
    publishing.has_resource_properties(
        "AWS::Lambda::Function",
        {"Environment": {"Variables": Match.object_like({"RESTORE_DRIFT": "true", "PACE_SECONDS": "1"})}},
    )


def test_functions_that_record_parse_as_the_environment_says(full_templates: dict[str, Template]):
    functions = properties(full_templates["Pipeline"], "AWS::Lambda::Function")
    variables = [each.get("Environment", {}).get("Variables", {}) for each in functions]
    parsing = [json.loads(each["PARSING"]) for each in variables if "PARSING" in each]
    assert parsing == [{"tag_headers": {"x-campaign": "series", "x-genre": "genre"}, "keep_subject": True}] * 2


def test_rates_are_watched_as_the_environment_says(full_templates: dict[str, Template]):
    [function] = properties(full_templates["Pipeline"], "AWS::Lambda::Function", Handler="lambdas.watch_rates.handler")
    variables = function["Environment"]["Variables"]
    reputation = msgspec.json.decode(variables["REPUTATION"], type=Reputation)
    assert reputation == load("change", PROJECT / "tests" / "environments" / "b").reputation
    assert msgspec.json.decode(variables["CONFIGURATION_SETS"]) == ["kept", "only-b"]
    assert (variables["SETTLING_SECONDS"], variables["PACE_SECONDS"]) == ("240", "1")


def test_values_of_tags_with_metrics_are_chosen_as_the_environment_says(full_templates: dict[str, Template]):
    [function] = properties(full_templates["Pipeline"], "AWS::Lambda::Function", Handler="lambdas.check_counts.handler")
    check = msgspec.json.decode(function["Environment"]["Variables"]["COUNT_CHECK"], type=CountCheck)
    assert check.tag_metric_values == 5
    assert check.tags == ("campaign", "genre", "link:position", "link:section")


def test_every_resource_has_the_tags_of_its_environment(full_templates: dict[str, Template]):
    untagged = {
        resource["Type"]
        for template in full_templates.values()
        for resource in template.to_json()["Resources"].values()
        if isinstance(tags := resource.get("Properties", {}).get("Tags"), list)
        and not {("step", "b"), ("aftersend:environment", "change")} <= {(tag["Key"], tag["Value"]) for tag in tags}
    }
    assert untagged == set()


NAME_PROPERTIES = ("Name", "EmailIdentity", "ContactListName")


def names(templates: dict[str, Template]) -> set[str]:
    """Return the names of all exports, and of all resources that have a name of their own."""
    outputs = [output for template in templates.values() for output in template.find_outputs("*").values()]
    exports = {str(output["Export"]["Name"]) for output in outputs if "Export" in output}
    resources = [each for template in templates.values() for each in template.to_json()["Resources"].values()]
    values = [each["Properties"].get(name) for each in resources if "Properties" in each for name in NAME_PROPERTIES]
    return exports | {value for value in values if isinstance(value, str)}


def test_two_environments_of_one_account_share_no_name(
    full_templates: dict[str, Template], templates: dict[str, Template]
):
    shared = names(full_templates) & names(templates)
    assert shared == {"readers"}, "a contact list: a second one in an account is an error"
