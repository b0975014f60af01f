"""Deploy an environment, change every key there is, change it back and remove it; compare what SES has at each step.

What the emulator does not implement (DKIM key lengths, contact lists) is covered by the stack tests and listed in
docs/environments.md.
"""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aftersend.config.environment import SEND_METRIC, ConfigurationSet, Environment, EventDestination, Identity
from aftersend.contract import CHECK_METRICS
from local.deployment import local_aws
from tests.integration.account import BY_HAND, DELETED_LATER, Account

FEEDBACK, ARCHIVE = "feedback", "archive"
SET_BY_HAND = {"BounceTopic": BY_HAND, "HeadersInBounceNotificationsEnabled": True, "ForwardingEnabled": True}


def expected_configuration_set(
    settings: ConfigurationSet, environment: Environment, account: Account
) -> dict[str, Any]:
    """Return what SES must have for a configuration set of an environment."""
    destinations = {
        FEEDBACK: {"SnsDestination": {"TopicArn": account.outputs["FeedbackTopicArn"]}, **_events(settings.feedback)},
        ARCHIVE: {"stream": None, **_events(settings.archive)},
    }
    compared = [environment.configuration_sets[name] for name in environment.compared_sets]
    own = {"sends": SEND_METRIC} if settings in compared else {}
    for name, destination in (own | settings.event_destinations).items():
        events = _events(destination.events, enabled=destination.enabled)
        destinations[name] = _expected_target(destination) | events
    return {name: value for name, value in _expected_options(settings).items() if value} | {
        "destinations": {name: destination for name, destination in destinations.items() if destination["types"]},
        "tags": {"aftersend:environment": "change", **environment.resource_tags, **settings.resource_tags},
    }


def _expected_options(settings: ConfigurationSet) -> dict[str, Any]:
    suppressed_reasons = None if settings.suppressed_reasons is None else [*settings.suppressed_reasons]
    return {
        "TrackingOptions": _given(CustomRedirectDomain=settings.redirect_domain, HttpsPolicy=settings.https_policy),
        "DeliveryOptions": _given(
            TlsPolicy=settings.tls_policy,
            SendingPoolName=settings.dedicated_pool,
            MaxDeliverySeconds=settings.max_delivery_seconds,
        ),
        "ReputationOptions": {"ReputationMetricsEnabled": settings.reputation_metrics},
        "SendingOptions": {"SendingEnabled": settings.sending_enabled},
        "SuppressionOptions": _given(
            SuppressedReasons=suppressed_reasons, ValidationOptions=_expected_validation(settings)
        ),
        "VdmOptions": _given(
            DashboardOptions=_switch("EngagementMetrics", settings.engagement_metrics),
            GuardianOptions=_switch("OptimizedSharedDelivery", settings.optimized_shared_delivery),
        ),
        "ArchivingOptions": _given(ArchiveArn=settings.mail_archive_arn),
    }


def _expected_validation(settings: ConfigurationSet) -> dict[str, Any] | None:
    threshold = settings.auto_validation_threshold
    if threshold in (None, "DISABLED"):
        return {"ConditionThreshold": {"ConditionThresholdEnabled": threshold}} if threshold else None
    confidence = {"ConfidenceVerdictThreshold": threshold}
    return {"ConditionThreshold": {"ConditionThresholdEnabled": "ENABLED", "OverallConfidenceThreshold": confidence}}


def _given(**options: Any) -> dict[str, Any]:
    """Return the options that have a value."""
    return {name: value for name, value in options.items() if value is not None}


def _switch(name: str, on: bool | None) -> dict[str, str] | None:
    return None if on is None else {name: "ENABLED" if on else "DISABLED"}


def _events(kinds: tuple[str, ...], *, enabled: bool = True) -> dict[str, Any]:
    names = {"Rendering Failure": "RENDERING_FAILURE", "DeliveryDelay": "DELIVERY_DELAY"}
    return {"types": sorted(names.get(kind, kind.upper()) for kind in kinds), "enabled": enabled}


def _expected_target(destination: EventDestination) -> dict[str, Any]:
    sources = {"messageTag": "MESSAGE_TAG", "emailHeader": "EMAIL_HEADER", "linkTag": "LINK_TAG"}
    if destination.sns_topic_arn:
        return {"SnsDestination": {"TopicArn": destination.sns_topic_arn}}
    if destination.firehose_stream_arn:
        return {"stream": destination.firehose_stream_arn.rpartition("/")[2]}
    if destination.event_bridge:
        return {"EventBridgeDestination": {"EventBusArn": "arn:aws:events:us-east-1:000000000000:event-bus/default"}}
    dimensions = [
        {
            "DimensionName": dimension.name,
            "DimensionValueSource": sources[dimension.source],
            "DefaultDimensionValue": dimension.default,
        }
        for dimension in destination.cloudwatch_dimensions
    ]
    return {"CloudWatchDestination": {"DimensionConfigurations": dimensions}}


def expected_identity(identity: Identity, environment: Environment) -> dict[str, Any]:
    return {
        "configuration set": identity.configuration_set,
        "mail from": identity.mail_from_domain or "",
        "on mx failure": identity.mail_from_on_mx_failure,
        "dkim": identity.dkim_signing,
        "tags": {"aftersend:environment": "change", **environment.resource_tags, **identity.resource_tags},
    }


def expected_notifications(identity: Identity, topic: str) -> dict[str, Any]:
    expected: dict[str, Any] = {f"{kind}Topic": topic for kind in identity.notifications}
    expected |= {f"HeadersIn{kind}NotificationsEnabled": True for kind in identity.headers_in_notifications}
    return expected | ({"ForwardingEnabled": True} if identity.feedback_forwarding else {})


@pytest.fixture
def account(tmp_path: Path) -> Generator[Account]:
    with local_aws(tmp_path) as (ses, run):
        account = Account(ses, run.endpoint, tmp_path)
        account.prepare()
        yield account


def assert_as_deployed(environment: Environment, account: Account) -> None:
    """Assert that SES has the configuration sets, identities and notification settings of the environment."""
    sets = account.configuration_sets()
    for configuration_set in sets.values():
        if archive := configuration_set["destinations"].get(ARCHIVE):
            archive["stream"] = None  # CloudFormation chooses its name
    assert sets.keys() == environment.configuration_sets.keys()
    topic = account.outputs["FeedbackTopicArn"]
    for name, settings in environment.configuration_sets.items():
        assert sets[name] == expected_configuration_set(settings, environment, account), name
    for name, identity in environment.identities.items():
        if not identity.existing:
            assert account.identity(name) == expected_identity(identity, environment), name
        assert account.notifications(name) == expected_notifications(identity, topic), name


def assert_drift_is_restored(environment: Environment, account: Account) -> None:
    """Remove a topic, as SES does when it cannot publish, and assert that the scheduled function restores it."""
    account.ses.set_identity_notification_topic(Identity="kept.example", NotificationType="Bounce")
    counts = dict.fromkeys((*CHECK_METRICS, "identities_waiting", "identities_set"), 0)
    assert account.check_identities() == counts | {"identity_check_runs": 1, "identities_drifted": 1}
    assert_as_deployed(environment, account)


def assert_publishing_can_stop(account: Account) -> None:
    """Deploy an environment that publishes nothing, and assert that what Publishing imported before is still exported.

    CloudFormation updates the stacks that export first, and refuses to remove an export that is in use. The emulator
    does not refuse.
    """
    imported = account.imported()
    assert_as_deployed(account.deploy("c"), account)
    assert imported - account.imported()
    assert imported <= account.exports()


def test_environment_is_deployed_changed_in_every_key_changed_back_and_removed(account: Account):
    for step, removed in (("a", ()), ("b", ("only-a.example",)), ("a", ("only-b.example",))):
        environment = account.deploy(step)
        assert_as_deployed(environment, account)
        for name in removed:
            assert account.identity(name) is None
        if environment.on_identity_drift == "restore":
            assert_drift_is_restored(environment, account)
    account.emulator_client("sns").delete_topic(TopicArn=DELETED_LATER)
    assert_publishing_can_stop(account)
    account.destroy("c")
    assert account.configuration_sets() == {}
    assert account.identity("kept.example") is None
    assert account.notifications("there.example") == SET_BY_HAND
    with pytest.raises(ClientError):
        account.emulator_client("cloudformation").describe_stacks(StackName="Aftersend-change-State")
