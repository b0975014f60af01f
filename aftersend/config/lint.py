"""What would go wrong in production with an environment, told before it is deployed. Pure.

What SES or CloudFormation would refuse, or drop, is an error, and nothing is synthesised. All else is a warning, which
the environment may accept with a reason (`accepted_findings`). The texts stand in aftersend/traps.py.
"""

import re
from collections.abc import Iterable, Iterator

import msgspec

from aftersend.config.cost import METRIC
from aftersend.config.environment import ConfigurationSet, Dimension, Environment, EventDestination, Identity
from aftersend.config.lint_rules import RULES, WARNINGS
from aftersend.config.loader import format_path, suggestion
from aftersend.events import Kind

MOST_DESTINATIONS = 10
"""Event destinations of one configuration set, ours included ("Service quotas in Amazon SES")."""
MOST_DIMENSIONS = 10
"""Dimensions of one CloudWatch event destination (as above)."""
MANY_DIMENSIONS = 3
"""From so many on, the combinations of values are more than anybody counted."""

OURS = ("feedback", "archive")
DECISIVE = (Kind.BOUNCE.value, Kind.COMPLAINT.value)
TRACKED = (Kind.OPEN.value, Kind.CLICK.value)

NO_DIMENSIONS = ("received", "to", "from", "dkim-signature", "cc", "message-id", "return-path")
"""E-mail headers SES takes for no dimension ("Set up a CloudWatch event destination")."""

HIGH_CARDINALITY = re.compile(
    r"(^|[-_:.])(id|ids|uid|uuid|guid|user|users|subscriber|recipient|customer|contact|email|mail|address|token|session"
    r"|hash|timestamp|date|time|order|invoice|ip|source-ip|outgoing-ip|subject|list-unsubscribe)$",
    re.IGNORECASE,
)
"""Names of tags and headers that have as many values as there are messages or people."""

GROUPING = re.compile(r"(campaign|template|list|segment|brand|variant|tenant)", re.IGNORECASE)
"""What groups messages, also where its name ends in id."""

PRICE = f"${METRIC:.2f}"
"""Of a custom metric a month."""

INHERITED = ("configuration_set", "notifications", "feedback_forwarding", "mail_from_domain")
"""What people take an address to have from its domain."""

ONLY_WHERE_CREATED = (
    "configuration_set",
    "mail_from_domain",
    "mail_from_on_mx_failure",
    "dkim_signing",
    "dkim_key_length",
    "resource_tags",
)

SET_BY_HAND = (
    "Set one by hand, for the identity is not ours: aws sesv2 put-email-identity-configuration-set-attributes "
    "--email-identity {name} --configuration-set-name …; then accept this."
)

Path = list[str | int]


class Finding(msgspec.Struct, frozen=True):
    """Something in an environment that does not do what it seems to."""

    id: str
    """One of RULES."""
    key: str
    """Where it stands in the file."""
    problem: str
    fix: str
    is_error: bool = False

    def __str__(self) -> str:
        return f"{self.key}: {self.problem} {self.fix} [{self.id}]"


def findings(environment: Environment) -> list[Finding]:
    """What is wrong with an environment, errors first; what it accepts with a reason is left out."""
    found = [*_of_environment(environment)]
    for name, configuration_set in environment.configuration_sets.items():
        found += _of_set(["configuration_sets", name], configuration_set, environment)
    for name, identity in environment.identities.items():
        here: Path = ["identities", name]
        found += _refused_of_identity(here, name, identity, list(environment.configuration_sets))
        found += _of_identity(here, name, identity, environment)
    kept = [finding for finding in found if finding.is_error or finding.id not in environment.accepted_findings]
    return sorted(kept, key=lambda finding: not finding.is_error)


def _finding(rule: str, key: Path, **values: object) -> Finding:
    problem, fix, summary = RULES[rule]
    return Finding(rule, format_path(key), problem.format(**values), fix.format(**values), is_error=not summary)


def _of_environment(environment: Environment) -> Iterator[Finding]:
    for unknown in sorted(environment.accepted_findings.keys() - WARNINGS.keys()):
        yield _finding(
            "unknown-finding", ["accepted_findings", unknown], suggestion=suggestion(unknown, list(WARNINGS))
        )
    for tag in filter(_has_many_values, environment.counted_tags):
        what = "a row of counters an hour, which costs as much as recording"
        yield _finding("high-cardinality", ["counted_tags"], name=tag, what=what)
    if len(environment.contact_lists) > 1:
        yield _finding("several-contact-lists", ["contact_lists"], number=len(environment.contact_lists))
    if not environment.alarm_addresses and not environment.is_emulated:
        yield _finding("no-alarm-recipients", ["alarm_addresses"])


def _of_set(here: Path, found: ConfigurationSet, environment: Environment) -> Iterator[Finding]:
    notified = [identity.notifications for identity in environment.identities.values()]
    for kind in DECISIVE:
        if kind not in found.published:
            told = bool(notified) and all(kind in types for types in notified)
            yield _finding("feedback-without-tags" if told else "feedback-not-published", here, kind=kind)
    if found.https_policy and not found.redirect_domain:
        yield _finding("https-policy-without-domain", [*here, "https_policy"])
    tracked = _tracked(found.published)
    if tracked:
        yield _finding("tracking-enabled", [*here, "archive"], kinds=_and(tracked))
    there = [*here, "event_destinations"]
    if len(found.event_destinations) > MOST_DESTINATIONS - len(OURS):
        number = len(found.event_destinations)
        yield _finding("too-many-destinations", there, number=number, most=MOST_DESTINATIONS)
    for name, destination in found.event_destinations.items():
        yield from _of_destination([*there, name], name, destination, environment.region)
        if more := [kind for kind in _tracked(destination.events) if kind not in tracked]:
            yield _finding("tracking-enabled", [*there, name], kinds=_and(more))


def _tracked(kinds: Iterable[Kind]) -> list[str]:
    return sorted(kind.value for kind in kinds if kind in TRACKED)


def _of_destination(here: Path, name: str, found: EventDestination, region: str) -> Iterator[Finding]:
    if name in OURS:
        yield _finding("reserved-name", here, name=name)
    if len(found.targets) != 1:
        yield _finding("not-one-target", here, targets=_and(found.targets) or "none")
    for field in ("sns_topic_arn", "firehose_stream_arn"):
        arn = getattr(found, field)
        if arn and arn.split(":")[3] != region:
            yield _finding("target-in-other-region", [*here, field], region=region, arn=arn)
    if found.sns_topic_arn and found.sns_topic_arn.endswith(".fifo"):
        yield _finding("fifo-topic", [*here, "sns_topic_arn"])
    yield from _of_dimensions([*here, "cloudwatch_dimensions"], found.cloudwatch_dimensions)


def _of_dimensions(here: Path, dimensions: tuple[Dimension, ...]) -> Iterator[Finding]:
    number = len(dimensions)
    if number > MOST_DIMENSIONS:
        yield _finding("too-many-dimensions", here, number=number, most=MOST_DIMENSIONS)
    elif number >= MANY_DIMENSIONS:
        yield _finding("many-dimensions", here, number=number, price=PRICE, combinations=10**number)
    for index, dimension in enumerate(dimensions):
        if dimension.source == "emailHeader" and dimension.name.lower() in NO_DIMENSIONS:
            yield _finding("unsupported-header", [*here, index], name=dimension.name)
        elif _has_many_values(dimension.name):
            what = f"a metric, at {PRICE} a month for each event type"
            yield _finding("high-cardinality", [*here, index], name=dimension.name, what=what)


def _has_many_values(name: str) -> bool:
    return bool(HIGH_CARDINALITY.search(name)) and not GROUPING.match(name)


def _refused_of_identity(here: Path, name: str, found: Identity, sets: list[str]) -> Iterator[Finding]:
    wanted = found.configuration_set
    if wanted and wanted not in sets:
        hint = suggestion(wanted, sets)
        yield _finding("unknown-configuration-set", [*here, "configuration_set"], name=wanted, suggestion=hint)
    if extra := [kind for kind in found.headers_in_notifications if kind not in found.notifications]:
        yield _finding("headers-without-notifications", [*here, "headers_in_notifications"], kinds=_and(extra))
    missing = [kind for kind in DECISIVE if kind not in found.notifications]
    if missing and not found.feedback_forwarding:
        yield _finding("forwarding-needs-topics", [*here, "feedback_forwarding"], kinds=_and(missing))
    default = Identity()
    ours = [field for field in ONLY_WHERE_CREATED if getattr(found, field) != getattr(default, field)]
    if found.existing and ours:
        yield _finding("setting-of-existing-identity", here, settings=", ".join(ours))
    domain = name.rpartition("@")[2].lower()
    if found.mail_from_domain and not found.mail_from_domain.endswith(f".{domain}"):
        yield _finding(
            "mail-from-not-subdomain", [*here, "mail_from_domain"], name=found.mail_from_domain, domain=domain
        )


def _of_identity(here: Path, name: str, found: Identity, environment: Environment) -> Iterator[Finding]:
    missing = [kind for kind in DECISIVE if kind not in found.notifications]
    if found.configuration_set is None:
        first = next(iter(environment.configuration_sets), "…")
        fix = SET_BY_HAND.format(name=name) if found.existing else f'Add configuration_set = "{first}".'
        yield _finding("no-default-configuration-set", here, fix=fix)
        if missing:
            yield _finding("feedback-lost-without-set", here, kinds=_and(missing))
    if found.feedback_forwarding and not missing:
        yield _finding("feedback-forwarding-on", [*here, "feedback_forwarding"])
    by_set = environment.configuration_sets.get(found.configuration_set or "")
    published = {kind.value for kind in by_set.published} if by_set else set()
    needed = () if missing else DECISIVE  # both together let feedback forwarding be switched off
    if needless := [kind for kind in found.notifications if kind in published and kind not in needed]:
        yield _finding("duplicate-feedback", [*here, "notifications"], kinds=_and(needless))
    domain = environment.identities.get(name.partition("@")[2])
    if domain and (apart := [field for field in INHERITED if getattr(found, field) != getattr(domain, field)]):
        yield _finding("address-overrides-domain", here, settings=", ".join(apart))


def _and(words: Iterable[str]) -> str:
    return " and ".join(words)
