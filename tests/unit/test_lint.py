"""For each trap the wrong configuration, and what a person is told."""

from typing import Any

import pytest

from aftersend.config.environment import (
    ConfigurationSet,
    ContactList,
    Dimension,
    Environment,
    EventDestination,
    Identity,
)
from aftersend.config.lint import Finding, findings
from aftersend.config.lint_rules import RULES as TEXTS
from aftersend.config.lint_rules import WARNINGS
from aftersend.config.loader import load, names
from aftersend.events import Kind

TOPIC = "arn:aws:sns:eu-west-1:222222222222:shop"
QUIET = Identity(configuration_set="news", feedback_forwarding=False)
"""An identity nothing is said of."""


def lint(
    identities: dict[str, Identity] | None = None,
    destinations: dict[str, EventDestination] | None = None,
    **more: Any,
) -> list[Finding]:
    sets = {"news": ConfigurationSet(event_destinations=destinations or {})}
    given: dict[str, Any] = {"configuration_sets": sets, "alarm_addresses": ("operations@bookshop.example",), **more}
    identities = {"bookshop.example": QUIET} if identities is None else identities
    return findings(
        Environment(name="shop", account="111111111111", region="eu-west-1", identities=identities, **given)
    )


def of_set(**settings: Any) -> list[Finding]:
    return lint(configuration_sets={"news": ConfigurationSet(**settings)})


def of_destination(**settings: Any) -> list[Finding]:
    given: dict[str, Any] = {"events": (Kind.SEND,), **settings}
    return lint(destinations={"shop": EventDestination(**given)})


def of_identity(name: str = "bookshop.example", **settings: Any) -> list[Finding]:
    given: dict[str, Any] = {"configuration_set": "news", "feedback_forwarding": False, **settings}
    return lint({name: Identity(**given)})


def test_of_a_sound_environment_nothing_is_said():
    assert lint() == []


@pytest.mark.parametrize("name", names())
def test_of_the_environments_of_the_project_nothing_is_said(name: str):
    assert findings(load(name)) == []


WITHOUT_BOUNCE: dict[str, Any] = {"feedback": (Kind.COMPLAINT,), "archive": (Kind.SEND,)}
DIMENSIONS = tuple(Dimension(name=f"dimension-{number}") for number in range(11))

RULES: dict[str, tuple[list[Finding], str, str]] = {
    "bounces reach no channel": (
        lint(
            {"a.example": Identity(configuration_set="news", notifications=())},
            configuration_sets={"news": ConfigurationSet(**WITHOUT_BOUNCE)},
        ),
        "feedback-not-published",
        "configuration_sets.news: Bounce is in neither `feedback` nor `archive`, and not every identity notifies of "
        "it: "
        "nobody would be suppressed for it, and SES mails it to the Return-Path or Source, even with forwarding off. "
        'Add "Bounce" to `feedback`.',
    ),
    "a type is missing that suppression needs": (
        of_set(**WITHOUT_BOUNCE),
        "feedback-without-tags",
        "only identity notifications tell of it, and they carry no message tags",
    ),
    "complaints of mail without a set reach no channel": (
        of_identity(configuration_set=None, notifications=("Bounce",), feedback_forwarding=True),
        "feedback-lost-without-set",
        'identities."bookshop.example": Complaint of mail that names no configuration set reach no channel',
    ),
    "no default configuration set": (
        of_identity(configuration_set=None),
        "no-default-configuration-set",
        'Add configuration_set = "news".',
    ),
    "no default configuration set of an identity that is there": (
        of_identity(configuration_set=None, existing=True),
        "no-default-configuration-set",
        "aws sesv2 put-email-identity-configuration-set-attributes --email-identity bookshop.example",
    ),
    "the same over both channels": (
        of_identity(notifications=("Bounce", "Complaint", "Delivery")),
        "duplicate-feedback",
        'identities."bookshop.example".notifications: Delivery of its mail come over event publishing too',
    ),
    "forwarding beside topics": (
        of_identity(feedback_forwarding=True),
        "feedback-forwarding-on",
        "Set feedback_forwarding = false: the topics tell.",
    ),
    "an address of its own": (
        lint(
            {"bookshop.example": QUIET, "news@bookshop.example": Identity(configuration_set="news", notifications=())}
        ),
        "address-overrides-domain",
        "takes nothing from its domain; here it differs in notifications, feedback_forwarding.",
    ),
    "a tag with a value per person": (
        lint(counted_tags=("campaign", "user_id")),
        "high-cardinality",
        '"user_id" looks like',
    ),
    "a dimension with a value per person": (
        of_destination(cloudwatch_dimensions=(Dimension(name="ses:source-ip"),)),
        "high-cardinality",
        'cloudwatch_dimensions[0]: "ses:source-ip" looks like something with a value for each',
    ),
    "dimensions that multiply": (
        of_destination(cloudwatch_dimensions=DIMENSIONS[:3]),
        "many-dimensions",
        "ten values each make 1,000 a type",
    ),
    "tracking by the archive": (
        of_set(archive=(Kind.BOUNCE, Kind.COMPLAINT, Kind.OPEN)),
        "tracking-enabled",
        "configuration_sets.news.archive: asking for Open makes SES rewrite every message",
    ),
    "tracking by a destination": (
        of_destination(events=(Kind.CLICK, Kind.OPEN), event_bridge=True),
        "tracking-enabled",
        "event_destinations.shop: asking for Click and Open makes SES rewrite",
    ),
    "nobody hears alarms": (
        lint(alarm_addresses=()),
        "no-alarm-recipients",
        "alarms go to a topic nobody is subscribed to",
    ),
}

REFUSED: dict[str, tuple[list[Finding], str, str]] = {
    "eleven destinations": (
        lint(
            destinations={
                f"shop-{number}": EventDestination(events=(Kind.SEND,), event_bridge=True) for number in range(9)
            }
        ),
        "too-many-destinations",
        "there are 9, and SES takes 10 of a configuration set, of which Aftersend needs two.",
    ),
    "eleven dimensions": (
        of_destination(cloudwatch_dimensions=DIMENSIONS),
        "too-many-dimensions",
        "there are 11, and SES takes 10",
    ),
    "a header that is no dimension": (
        of_destination(cloudwatch_dimensions=(Dimension(name="Return-Path", source="emailHeader"),)),
        "unsupported-header",
        'SES takes the header "Return-Path" for no dimension',
    ),
    "a FIFO topic": (
        of_destination(sns_topic_arn=f"{TOPIC}.fifo"),
        "fifo-topic",
        "SES publishes to standard topics alone",
    ),
    "a topic elsewhere": (
        of_destination(sns_topic_arn=TOPIC.replace("eu-west-1", "us-east-1")),
        "target-in-other-region",
        "SES publishes within its own Region, eu-west-1",
    ),
    "two targets": (
        of_destination(sns_topic_arn=TOPIC, event_bridge=True),
        "not-one-target",
        "this one has sns_topic_arn and event_bridge.",
    ),
    "no target": (of_destination(), "not-one-target", "this one has none."),
    "a name that is ours": (
        lint(destinations={"archive": EventDestination(events=(Kind.SEND,), event_bridge=True)}),
        "reserved-name",
        'Aftersend has a destination "archive" of its own',
    ),
    "HTTPS without a domain": (of_set(https_policy="REQUIRE"), "https-policy-without-domain", "Add redirect_domain"),
    "an unknown set": (
        of_identity(configuration_set="newz"),
        "unknown-configuration-set",
        'has no configuration set "newz": mail without the parameter would be refused. Name one of its own. Did you '
        'mean "news"?',
    ),
    "headers without notifications": (
        of_identity(headers_in_notifications=("Delivery",)),
        "headers-without-notifications",
        "SES refuses headers in notifications it does not send: Delivery.",
    ),
    "forwarding off without topics": (
        of_identity(notifications=("Bounce",)),
        "forwarding-needs-topics",
        "Add Complaint to notifications, or leave it on.",
    ),
    "settings of what is not ours": (
        of_identity(existing=True),
        "setting-of-existing-identity",
        "configuration_set can be set only of an identity that this environment creates.",
    ),
    "MAIL FROM elsewhere": (
        of_identity(mail_from_domain="bounce.other.example"),
        "mail-from-not-subdomain",
        "bounce.other.example is no subdomain of bookshop.example",
    ),
    "a second contact list": (
        lint(contact_lists={"one": ContactList(), "two": ContactList()}),
        "several-contact-lists",
        "there are 2; SES keeps one in an account and Region and refuses others.",
    ),
    "an unknown finding": (
        lint(accepted_findings={"duplicate-fedback": "so"}),
        "unknown-finding",
        'Take out the line. Did you mean "duplicate-feedback"?',
    ),
}


@pytest.mark.parametrize("trap", RULES | REFUSED)
def test_each_trap_is_told_with_what_happens_and_the_mend(trap: str):
    found, name, said = (RULES | REFUSED)[trap]
    [finding] = [finding for finding in found if finding.id == name]
    assert said in str(finding)
    assert finding.is_error is (trap in REFUSED)
    assert finding.problem.endswith(".")
    assert finding.fix.endswith((".", ")", "?", "accept this."))


def test_every_trap_there_is_is_tried():
    assert {name for _, name, _ in RULES.values()} == set(WARNINGS)
    assert {name for _, name, _ in REFUSED.values()} == set(TEXTS) - set(WARNINGS)


def test_errors_are_told_first():
    found = lint({"bookshop.example": Identity(configuration_set="newz")})
    assert [finding.is_error for finding in found] == sorted((finding.is_error for finding in found), reverse=True)


def test_what_is_accepted_with_a_reason_is_told_no_more_but_errors_are():
    accepted: Any = {
        "accepted_findings": {"feedback-forwarding-on": "the office reads them", "unknown-configuration-set": "no"}
    }
    found = lint({"bookshop.example": Identity(configuration_set="newz")}, **accepted)
    assert {finding.id for finding in found} == {"unknown-configuration-set", "unknown-finding"}


@pytest.mark.parametrize("tag", ["campaign", "campaign_id", "template-id", "genre", "plan", "ses:from-domain"])
def test_what_groups_messages_is_no_danger(tag: str):
    assert lint(counted_tags=(tag,)) == []
