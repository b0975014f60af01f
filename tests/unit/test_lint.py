"""Test every rule of the linter with a configuration that breaks it, and the text a person sees."""

import re
from typing import Any

import pytest

from aftersend.config import Environment, Finding, environment_names, findings, load
from aftersend.config.environment import (
    Canary,
    ConfigurationSet,
    ContactList,
    Dimension,
    EventDestination,
    ExistingState,
    Functions,
    Identity,
)
from aftersend.config.lint_rules import RULES, WARNINGS
from aftersend.events import Kind
from aftersend.metrics.reputation import Reputation
from aftersend.suppression import Policy

TOPIC = "arn:aws:sns:eu-west-1:222222222222:shop"
VALID_IDENTITY = Identity(configuration_set="news", feedback_forwarding=False)
"""An identity without findings."""


def lint(
    identities: dict[str, Identity] | None = None,
    destinations: dict[str, EventDestination] | None = None,
    **settings: Any,
) -> list[Finding]:
    sets = {"news": ConfigurationSet(event_destinations=destinations or {})}
    values: dict[str, Any] = {"configuration_sets": sets, "alarm_addresses": ("operations@bookshop.example",)}
    values["identities"] = identities or {"bookshop.example": VALID_IDENTITY}
    values["region"] = "eu-west-1"
    return findings(Environment(name="shop", account="111111111111", **(values | settings)))


def lint_configuration_set(**settings: Any) -> list[Finding]:
    return lint(configuration_sets={"news": ConfigurationSet(**settings)})


def lint_destination(**settings: Any) -> list[Finding]:
    values: dict[str, Any] = {"events": (Kind.SEND,), **settings}
    return lint(destinations={"shop": EventDestination(**values)})


def lint_identity(name: str = "bookshop.example", **settings: Any) -> list[Finding]:
    values: dict[str, Any] = {"configuration_set": "news", "feedback_forwarding": False, **settings}
    return lint({name: Identity(**values)})


def test_valid_environment_has_no_findings():
    assert lint() == []


@pytest.mark.parametrize("name", environment_names())
def test_environment_of_the_repository_has_no_findings(name: str):
    assert findings(load(name)) == []


WITHOUT_BOUNCE: dict[str, Any] = {"feedback": (Kind.COMPLAINT,), "archive": (Kind.SEND,)}
EVENT_BUS = EventDestination(events=(Kind.SEND,), event_bridge=True)
DIMENSIONS = tuple(Dimension(name=f"dimension-{number}") for number in range(11))

CANARY = Canary(from_address="canary@bookshop.example", configuration_set="news")

WARNING_CASES: dict[str, tuple[list[Finding], str, str]] = {
    "bounces are not received": (
        lint(
            {"a.example": Identity(configuration_set="news", notifications=())},
            configuration_sets={"news": ConfigurationSet(**WITHOUT_BOUNCE)},
        ),
        "feedback-not-published",
        "configuration_sets.news: Bounce events are in neither `feedback` nor `archive`, and not every identity has "
        "Bounce in `notifications`. Their recipients would not be suppressed, and SES would mail this feedback to the "
        'Return-Path or Source address even if feedback forwarding is off. Add "Bounce" to `feedback`.',
    ),
    "a canary that is counted": (
        lint(canary=CANARY, suppression=Policy(simulator="real")),
        "canary-counted",
        'canary: with simulator = "real", the bounces and complaints of the canary are counted',
    ),
    "bounces arrive without tags": (
        lint_configuration_set(**WITHOUT_BOUNCE),
        "feedback-without-tags",
        "Aftersend receives them only as identity notifications, which have no message tags",
    ),
    "complaints of mail without a configuration set are not received": (
        lint_identity(configuration_set=None, notifications=("Bounce",), feedback_forwarding=True),
        "feedback-lost-without-set",
        'identities."bookshop.example": Aftersend does not receive Complaint feedback for mail that names no '
        "configuration set.",
    ),
    "no default configuration set": (
        lint_identity(configuration_set=None),
        "no-default-configuration-set",
        'Add configuration_set = "news".',
    ),
    "no default configuration set of an existing identity": (
        lint_identity(configuration_set=None, existing=True),
        "no-default-configuration-set",
        "aws sesv2 put-email-identity-configuration-set-attributes --email-identity bookshop.example",
    ),
    "the same event from both channels": (
        lint_identity(notifications=("Bounce", "Complaint", "Delivery")),
        "duplicate-feedback",
        'identities."bookshop.example".notifications: the configuration set already publishes Delivery events',
    ),
    "forwarding in addition to topics": (
        lint_identity(feedback_forwarding=True),
        "feedback-forwarding-on",
        "Set feedback_forwarding = false. Aftersend receives the same feedback",
    ),
    "an address with other settings than its domain": (
        lint({"bookshop.example": VALID_IDENTITY, "a@bookshop.example": Identity(notifications=())}),
        "address-overrides-domain",
        "inherits no settings from its domain. It differs in configuration_set, notifications, feedback_forwarding.",
    ),
    "a tag that is counted anyway": (
        lint(counted_tags=("campaign", "ses:configuration-set")),
        "already-counted",
        'counted_tags: "ses:configuration-set" is always counted: it changes nothing here. Remove it.',
    ),
    "more mail than the quota of Firehose takes": (
        lint(region="eu-central-1", monthly_messages=200_000_000),
        "volume-exceeds-quota",
        "but with 1 MiB a second, Firehose in eu-central-1 carries 524: the default of Firehose's quota of Direct PUT. "
        "Events may be lost. Request at least 3 MiB a second, then accept this warning.",
    ),
    "more mail than the settings take": (
        lint(
            monthly_messages=200_000_000,
            functions=Functions(feedback_max_concurrency=2),
            configuration_sets={"news": ConfigurationSet(archive=())},
        ),
        "volume-exceeds-setting",
        "functions.feedback_max_concurrency: 200,000,000 messages a month have a peak of about",
    ),
    "a tag with a value per person": (
        lint(counted_tags=("campaign", "user_id")),
        "high-cardinality",
        '"user_id" seems to have a different value for each message or person, and each value creates a row of',
    ),
    "a dimension with a value per person": (
        lint_destination(cloudwatch_dimensions=(Dimension(name="ses:source-ip"),)),
        "high-cardinality",
        'cloudwatch_dimensions[0]: "ses:source-ip" seems to have a different value for each message or person',
    ),
    "tags from headers that notifications do not have": (
        lint(tag_headers={"X-Campaign": "campaign"}),
        "tag-headers-without-headers",
        "tag_headers: no identity has `headers_in_notifications`.",
    ),
    "dimensions that multiply": (
        lint_destination(cloudwatch_dimensions=DIMENSIONS[:3]),
        "many-dimensions",
        "Ten values per dimension make 1,000 metrics per event type.",
    ),
    "tracking by the archive": (
        lint_configuration_set(archive=(Kind.BOUNCE, Kind.COMPLAINT, Kind.OPEN)),
        "tracking-enabled",
        "configuration_sets.news.archive: publishing Open events makes SES rewrite every message",
    ),
    "tracking by a destination": (
        lint_destination(events=(Kind.CLICK, Kind.OPEN), event_bridge=True),
        "tracking-enabled",
        "event_destinations.shop: publishing Click and Open events makes SES rewrite",
    ),
    "alarms notify nobody": (
        lint(alarm_addresses=()),
        "no-alarm-recipients",
        "nobody is subscribed to the alarm topic",
    ),
}

ERROR_CASES: dict[str, tuple[list[Finding], str, str]] = {
    "a warning above what is critical": (
        lint(reputation=Reputation(complaint_warning_percent=0.6)),
        "thresholds-reversed",
        "reputation.complaint_warning_percent: it is above 0.5, so a rate would be critical before it is a warning. "
        "Set it to at most 0.5, or raise complaint_critical_percent.",
    ),
    "an existing contact list with settings": (
        lint(contact_lists={"readers": ContactList(existing=True, description="Readers")}),
        "setting-of-existing-list",
        "contact_lists.readers: Aftersend changes nothing about an existing contact list, and cannot set description.",
    ),
    "a retained ledger without its stream": (
        lint(existing_state=ExistingState(ledger_table="Shop-Ledger")),
        "ledger-without-stream",
        "existing_state: the ledger that was retained needs both ledger_table and ledger_stream_arn",
    ),
    "a retained suppressions table without its stream": (
        lint(existing_state=ExistingState(suppressions_table="Shop-Suppressions")),
        "suppressions-without-stream",
        "existing_state: the suppressions table that was retained needs both suppressions_table and",
    ),
    "DKIM settings of an address": (
        lint_identity("sales@bookshop.example", dkim_signing=False),
        "dkim-of-address",
        "SES accepts no settings of an address: dkim_signing. Remove these keys. The mail of the address is signed as",
    ),
    "a Region that does not exist": (
        lint(region="eu-central-9"),
        "unknown-region",
        'region: AWS has no Region "eu-central-9", as far as the installed version of botocore knows. Correct the '
        'name, or update botocore if the Region is newer. Did you mean "eu-central-2"?',
    ),
    "a Region without SES": (
        lint(region="ap-east-1"),
        "region-without-service",
        "region: ap-east-1 has no SES, as far as",
    ),
    "names that exceed a function's settings": (
        lint(configuration_sets={f"newsletter-{number:03}": ConfigurationSet() for number in range(106)}),
        "too-long-names",
        "configuration_sets: the names of 106 configuration sets take 2,121 bytes of the settings of the function that "
        "shows the dashboard, and there is room for 1,900.",
    ),
    "eleven destinations": (
        lint(destinations={f"shop-{number}": EVENT_BUS for number in range(8)}),
        "too-many-destinations",
        "there are 8 event destinations. SES allows 10 per configuration set, and Aftersend needs 3 of them.",
    ),
    "a canary whose bounces are not published": (
        lint(canary=CANARY, configuration_sets={"news": ConfigurationSet(**WITHOUT_BOUNCE)}),
        "canary-not-published",
        'canary.configuration_set: the configuration set "news" does not publish Bounce and Delivery',
    ),
    "a canary of nobody": (
        lint(canary=Canary(from_address="canary@other.example", configuration_set="news")),
        "canary-without-identity",
        'canary.from_address: "canary@other.example" belongs to no identity of this environment.',
    ),
    "sends that are counted twice": (
        lint_destination(cloudwatch_dimensions=(Dimension(name="ses:configuration-set"),)),
        "sends-counted-twice",
        "configuration_sets.news.event_destinations.shop: Aftersend's own event destination already publishes",
    ),
    "eleven dimensions": (
        lint_destination(cloudwatch_dimensions=DIMENSIONS),
        "too-many-dimensions",
        "there are 11 dimensions, but SES allows 10 per event destination.",
    ),
    "an unsupported header": (
        lint_destination(cloudwatch_dimensions=(Dimension(name="Return-Path", source="emailHeader"),)),
        "unsupported-header",
        'SES does not support the header "Return-Path" as a dimension',
    ),
    "a FIFO topic": (
        lint_destination(sns_topic_arn=f"{TOPIC}.fifo"),
        "fifo-topic",
        "SES publishes only to standard topics",
    ),
    "a topic in another Region": (
        lint_destination(sns_topic_arn=TOPIC.replace("eu-west-1", "us-east-1")),
        "target-in-other-region",
        "SES publishes only to targets in its own Region, eu-west-1",
    ),
    "two targets": (
        lint_destination(sns_topic_arn=TOPIC, event_bridge=True),
        "not-one-target",
        "this one has sns_topic_arn and event_bridge.",
    ),
    "no target": (lint_destination(), "not-one-target", "this one has none."),
    "a reserved name": (
        lint(destinations={"archive": EVENT_BUS}),
        "reserved-name",
        'Aftersend creates its own event destination named "archive"',
    ),
    "HTTPS without a domain": (
        lint_configuration_set(https_policy="REQUIRE"),
        "https-policy-without-domain",
        "Add redirect_domain",
    ),
    "an unknown set": (
        lint_identity(configuration_set="newz"),
        "unknown-configuration-set",
        'has no configuration set "newz". SES would reject mail that relies on this default. '
        'Use a configuration set of this environment. Did you mean "news"?',
    ),
    "headers without notifications": (
        lint_identity(headers_in_notifications=("Delivery",)),
        "headers-without-notifications",
        "SES rejects headers for notification types that are not in `notifications`: Delivery.",
    ),
    "forwarding off without topics": (
        lint_identity(notifications=("Bounce",)),
        "forwarding-needs-topics",
        "Add Complaint to `notifications`, or set feedback_forwarding = true.",
    ),
    "settings of an existing identity": (
        lint_identity(existing=True),
        "setting-of-existing-identity",
        "Aftersend manages only the notifications of an existing identity, and cannot set configuration_set.",
    ),
    "a MAIL FROM domain that is no subdomain": (
        lint_identity(mail_from_domain="bounce.other.example"),
        "mail-from-not-subdomain",
        '"bounce.other.example" is not a subdomain of "bookshop.example"',
    ),
    "a second contact list": (
        lint(contact_lists={"one": ContactList(), "two": ContactList()}),
        "several-contact-lists",
        "this environment has 2 contact lists, but SES allows only one per account and Region.",
    ),
    "a window longer than volume is kept": (
        lint(suppression=Policy(soft_bounce_window_days=31)),
        "window-longer-than-volume",
        "soft bounces of 31 days would be counted, but deliveries, which reset them, are only kept for 30.",
    ),
    "a not-spam report that suppresses": (
        lint(suppression=Policy(effects={"not-spam": "suppress"})),
        "effect-of-lifting-rule",
        'Set it to "none", or remove the line.',
    ),
    "an unknown finding": (
        lint(accepted_findings={"duplicate-fedback": "so"}),
        "unknown-finding",
        'Correct the name, or remove the line. Did you mean "duplicate-feedback"?',
    ),
}


@pytest.mark.parametrize("case", WARNING_CASES | ERROR_CASES)
def test_finding_names_problem_and_fix(case: str):
    reported, rule, text = (WARNING_CASES | ERROR_CASES)[case]
    [finding] = [finding for finding in reported if finding.id == rule]
    assert text in str(finding)
    assert finding.is_error is (case in ERROR_CASES)
    assert finding.problem.endswith(".")
    assert finding.fix.endswith((".", ")", "?"))


def test_every_rule_has_a_case():
    assert {name for _, name, _ in WARNING_CASES.values()} == set(WARNINGS)
    assert {name for _, name, _ in ERROR_CASES.values()} == set(RULES) - set(WARNINGS)


def test_seven_destinations_of_ones_own_are_valid_and_eight_if_sends_are_not_counted():
    seven, eight = ({f"shop-{number}": EVENT_BUS for number in range(count)} for count in (7, 8))
    assert lint(destinations=seven) == lint(destinations=eight, count_sends=False) == []


@pytest.mark.parametrize("name", ["canary@mail.bookshop.example", "CANARY@bookshop.example"])
def test_canary_of_an_address_below_an_identity_or_of_the_identity_is_valid(name: str):
    assert lint(canary=Canary(from_address=name, configuration_set="news")) == []


def test_canary_needs_a_configuration_set_of_its_environment():
    [finding] = lint(canary=Canary(from_address="canary@bookshop.example", configuration_set="newz"))
    assert (finding.id, finding.key) == ("unknown-configuration-set", "canary.configuration_set")


def test_errors_come_first():
    reported = lint({"bookshop.example": Identity(configuration_set="newz")})
    assert [finding.is_error for finding in reported] == sorted(
        (finding.is_error for finding in reported), reverse=True
    )


def test_warnings_can_be_accepted_but_errors_cannot():
    accepted: Any = {
        "accepted_findings": {"feedback-forwarding-on": "the office reads them", "unknown-configuration-set": "no"}
    }
    reported = lint({"bookshop.example": Identity(configuration_set="newz")}, **accepted)
    assert {finding.id for finding in reported} == {"unknown-configuration-set", "unknown-finding"}


def test_every_part_that_does_not_carry_the_volume_is_named_with_its_fix():
    reported = {finding.key: finding.fix for finding in lint(monthly_messages=2_000_000_000)}
    assert reported["warm_throughput"].startswith("Set it to at least ")
    assert "accept this warning" in reported["warm_throughput"]
    assert reported["functions.feedback_max_concurrency"].startswith("Set it to at least ")
    assert "MiB a second" in reported["monthly_messages"]


def test_values_that_the_findings_name_are_enough():
    assert lint(monthly_messages=80_000_000) == []
    volume = 2_000_000_000
    fixes = {finding.key: re.search(r"\d+", finding.fix) for finding in lint(monthly_messages=volume)}
    warm, feedback, archive = (
        int(match[0]) if (match := fixes.get(key)) else None
        for key in ("warm_throughput", "functions.feedback_max_concurrency", "functions.archive_max_concurrency")
    )
    functions = Functions(feedback_max_concurrency=feedback or 10, archive_max_concurrency=archive or 10)
    reported = lint(monthly_messages=volume, warm_throughput=warm, functions=functions)
    assert {finding.id for finding in reported} == {"volume-exceeds-quota"}


@pytest.mark.parametrize("tag", ["campaign", "campaign_id", "template-id", "genre", "plan", "ses:operation"])
def test_tags_that_group_messages_have_no_findings(tag: str):
    assert lint(counted_tags=(tag,)) == []
