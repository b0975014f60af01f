"""Everything an environment may set, in the template; what the emulator cannot tell stands here alone."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Match, Template


@pytest.fixture(scope="session")
def publishing(changed: dict[str, Template]) -> Template:
    return changed["Publishing"]


def properties(template: Template, kind: str, **of: Any) -> list[dict[str, Any]]:
    """The properties of the resources of a type that have these."""
    found = [resource["Properties"] for resource in template.find_resources(kind).values()]
    return [each for each in found if of.items() <= each.items()]


def test_every_option_of_a_configuration_set(publishing: Template):
    [found] = properties(publishing, "AWS::SES::ConfigurationSet", Name="kept")
    tags = {tag["Key"]: tag["Value"] for tag in found.pop("Tags")}
    assert tags == {"aftersend:environment": "change", "of": "set-b", "step": "b"}
    assert found == {
        "Name": "kept",
        "ArchivingOptions": {"ArchiveArn": "arn:aws:ses:us-east-1:000000000000:mailmanager-archive/b-2"},
        "DeliveryOptions": {"MaxDeliverySeconds": 3600, "SendingPoolName": "pool-b", "TlsPolicy": "REQUIRE"},
        "ReputationOptions": {"ReputationMetricsEnabled": True},
        "SendingOptions": {"SendingEnabled": False},
        "SuppressionOptions": {"SuppressedReasons": []},
        "TrackingOptions": {"CustomRedirectDomain": "links-b.kept.example", "HttpsPolicy": "REQUIRE"},
        "VdmOptions": {
            "DashboardOptions": {"EngagementMetrics": "ENABLED"},
            "GuardianOptions": {"OptimizedSharedDelivery": "ENABLED"},
        },
    }


def test_what_is_left_out_is_left_to_ses_so_that_nothing_paused_is_resumed(publishing: Template):
    [found] = properties(publishing, "AWS::SES::ConfigurationSet", Name="only-b")
    del found["Tags"]
    assert found == {"Name": "only-b", "ReputationOptions": {"ReputationMetricsEnabled": False}}


def test_every_kind_of_event_destination_with_its_exact_event_types(publishing: Template):
    destinations = {
        found["EventDestination"]["Name"]: found["EventDestination"]
        for found in properties(publishing, "AWS::SES::ConfigurationSetEventDestination")
        if "kept" in str(found["ConfigurationSetName"])
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
    assert set(destinations) == {"feedback", "archive", "metrics", "topic", "stream", "either"}


def test_the_event_bus_is_the_default_one(templates: dict[str, Template]):
    [found] = [
        each["EventDestination"]
        for each in properties(templates["Publishing"], "AWS::SES::ConfigurationSetEventDestination")
        if each["EventDestination"]["Name"] == "shop"
    ]
    bus = "arn:aws:events:eu-west-1:222222222222:event-bus/default"
    assert found["EventBridgeDestination"] == {"EventBusArn": bus}


def test_dkim_and_mail_from_of_a_domain(publishing: Template):
    [found] = properties(publishing, "AWS::SES::EmailIdentity", EmailIdentity="kept.example")
    assert found["DkimAttributes"] == {"SigningEnabled": False}
    assert found["DkimSigningAttributes"] == {"NextSigningKeyLength": "RSA_1024_BIT"}
    assert found["MailFromAttributes"] == {
        "MailFromDomain": "bounce-b.kept.example",
        "BehaviorOnMxFailure": "REJECT_MESSAGE",
    }


def test_an_identity_that_is_there_is_not_created_but_its_notifications_are_set(publishing: Template):
    assert not properties(publishing, "AWS::SES::EmailIdentity", EmailIdentity="there.example")
    assert properties(publishing, "Custom::IdentityNotifications", Identity="there.example")


def test_the_contact_list_with_its_topics_is_kept(publishing: Template):
    """It holds what people have subscribed to, and nobody could tell that again."""
    [resource] = publishing.find_resources("AWS::SES::ContactList").values()
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")
    found = resource["Properties"]
    assert found["ContactListName"] == "readers"
    assert found["Topics"] == [
        {
            "TopicName": "new-books",
            "DisplayName": "New books and audiobooks",
            "Description": "Once a month",
            "DefaultSubscriptionStatus": "OPT_IN",
        }
    ]


def test_what_is_worth_keeping_is_protected_where_it_is_kept(stacks: dict[str, cdk.Stack]):
    assert {name: stack.termination_protection for name, stack in stacks.items()} == {
        "State": True,
        "Pipeline": False,
        "Publishing": False,
        "Dashboard": False,
    }


def test_logs_end_when_the_environment_says_and_drift_is_put_back(changed: dict[str, Template]):
    for name in ("Pipeline", "Publishing"):
        groups = properties(changed[name], "AWS::Logs::LogGroup")
        assert {found["RetentionInDays"] for found in groups} == {14}
    changed["Publishing"].has_resource_properties(
        "AWS::Lambda::Function",
        {"Environment": {"Variables": Match.object_like({"RESTORE_DRIFT": "true", "PACE_SECONDS": "1"})}},
    )


def test_every_resource_bears_the_tags_of_its_environment(changed: dict[str, Template]):
    untagged = {
        resource["Type"]
        for template in changed.values()
        for resource in template.to_json()["Resources"].values()
        if isinstance(tags := resource.get("Properties", {}).get("Tags"), list)
        and not {("step", "b"), ("aftersend:environment", "change")} <= {(tag["Key"], tag["Value"]) for tag in tags}
    }
    assert untagged == set()


def test_two_environments_of_one_account_share_no_name(changed: dict[str, Template], templates: dict[str, Template]):
    def names(found: dict[str, Template]) -> set[str]:
        """Names of exports and of what has one of its own."""
        exports = [
            output.get("Export", {}).get("Name") for t in found.values() for output in t.find_outputs("*").values()
        ]
        given = ("Name", "EmailIdentity", "ContactListName")
        own = [
            each["Properties"][name]
            for template in found.values()
            for each in template.to_json()["Resources"].values()
            for name in given
            if isinstance(each.get("Properties", {}).get(name), str)
        ]
        return {*map(str, exports), *own} - {"None"}

    assert names(changed) & names(templates) == {"readers"}, "a contact list: two in one account are an error"
