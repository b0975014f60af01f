"""Find mistakes in an environment that only show in production.

An error is a value that SES or CloudFormation would reject or silently drop; it stops the synthesis. Everything else is
a warning, which the environment can accept with a reason (`accepted_findings`). lint_rules.py has the texts.
"""

from collections.abc import Iterable, Iterator

import msgspec

from aftersend.canary import NEEDED_KINDS
from aftersend.config.capacity import capacities, peak_events
from aftersend.config.cardinality import has_many_values
from aftersend.config.environment import (
    SEND_METRIC,
    Canary,
    ConfigurationSet,
    ContactList,
    Dimension,
    Environment,
    EventDestination,
    Identity,
    Section,
)
from aftersend.config.lint_rules import RULES, WARNINGS
from aftersend.config.loader import suggestion
from aftersend.config.prices import METRIC
from aftersend.config.regions import missing_services, services_by_region
from aftersend.config.toml_file import KeyPath, format_path
from aftersend.counting import CONFIGURATION_SET, FROM_DOMAIN
from aftersend.events import Kind
from aftersend.metrics.reputation import AWS_PERCENT, Reputation
from aftersend.retention import Retention
from aftersend.suppression import LIFTING_RULES, Policy

MAX_DESTINATIONS = 10
"""Event destinations per configuration set, Aftersend's included ("Service quotas in Amazon SES")."""
MAX_DIMENSIONS = 10
"""Dimensions per CloudWatch event destination ("Service quotas in Amazon SES")."""
MANY_DIMENSIONS = 3
"""From this number on, a destination easily has a thousand metrics for each event type."""

ALWAYS_COUNTED = (CONFIGURATION_SET, FROM_DOMAIN)

RESERVED_DESTINATIONS = ("feedback", "archive", "sends")
"""Event destinations that Aftersend creates in configuration sets."""
SUPPRESSING = (Kind.BOUNCE.value, Kind.COMPLAINT.value)
"""Event types, and notification types of the same names, that can suppress a recipient."""
MAX_NAMES_BYTES = 1_900
"""Of the 4 KB of a function's settings ("Lambda quotas"), the names of configuration sets with what each tracks: costs
take up to 2 KB of show_widgets, which has the most settings (tests/unit/test_cost.py)."""

TRACKED = (Kind.OPEN.value, Kind.CLICK.value)

UNSUPPORTED_HEADERS = ("received", "to", "from", "dkim-signature", "cc", "message-id", "return-path")
"""Headers that SES does not accept as dimensions ("Set up a CloudWatch event destination")."""

METRIC_PRICE = f"${METRIC:.2f}"
"""Of one CloudWatch metric per month."""

NOT_INHERITED = ("configuration_set", "notifications", "feedback_forwarding", "mail_from_domain")
"""Settings that a separately verified address does not inherit from its domain, although people expect it to."""

ONLY_WHERE_CREATED = (
    "configuration_set",
    "mail_from_domain",
    "mail_from_on_mx_failure",
    "dkim_signing",
    "dkim_key_length",
    "resource_tags",
)
"""Settings that Aftersend cannot change on an existing identity."""

GROWN_TABLES = " If the tables have grown to that, accept this warning."

SET_DEFAULT_MANUALLY = (
    "Aftersend cannot set one for an existing identity. Run: aws sesv2 put-email-identity-configuration-set-attributes "
    "--email-identity {name} --configuration-set-name NAME. Then accept this warning."
)


class Finding(msgspec.Struct, frozen=True):
    """Describe one mistake in an environment."""

    id: str
    """A key of RULES."""
    key: str
    """The path in the file, as TOML writes it."""
    problem: str
    fix: str
    is_error: bool = False

    def __str__(self) -> str:
        return f"{self.key}: {self.problem} {self.fix} [{self.id}]"


def findings(environment: Environment) -> list[Finding]:
    """Return the findings of an environment, errors first, without the warnings it accepts."""
    accepted = environment.accepted_findings
    reported = [finding for finding in _check_all(environment) if finding.is_error or finding.id not in accepted]
    return sorted(reported, key=lambda finding: not finding.is_error)


def _finding(id: str, path: KeyPath, **values: object) -> Finding:
    rule = RULES[id]
    problem, fix = rule.problem.format(**values), rule.fix.format(**values)
    return Finding(id, format_path(path), problem, fix, is_error=not rule.summary)


def _check_all(environment: Environment) -> Iterator[Finding]:
    yield from _check_environment(environment)
    for name, configuration_set in environment.configuration_sets.items():
        yield from _check_configuration_set(["configuration_sets", name], configuration_set, environment)
    for name, identity in environment.identities.items():
        path: KeyPath = ["identities", name]
        yield from _identity_errors(path, name, identity, list(environment.configuration_sets))
        yield from _identity_warnings(path, name, identity, environment)


def _check_reputation(reputation: Reputation) -> Iterator[Finding]:
    for signal in AWS_PERCENT:
        key = f"{signal}_critical_percent"
        critical, path = getattr(reputation, key), ["reputation", f"{signal}_warning_percent"]
        if getattr(reputation, path[1]) > critical:
            yield _finding("thresholds-reversed", [*path], critical=f"{critical:g}", key=key)


def _check_environment(environment: Environment) -> Iterator[Finding]:
    yield from _check_region(environment.region)
    for unknown in sorted(environment.accepted_findings.keys() - WARNINGS.keys()):
        hint = suggestion(unknown, list(WARNINGS))
        yield _finding("unknown-finding", ["accepted_findings", unknown], suggestion=hint)
    yield from _check_reputation(environment.reputation)
    for tag in ALWAYS_COUNTED:
        if tag in environment.counted_tags:
            yield _finding("already-counted", ["counted_tags"], name=tag)
    for tag in filter(has_many_values, environment.counted_tags):
        cost = "a row of counters per hour, which costs as much as recording the event"
        yield _finding("high-cardinality", ["counted_tags"], name=tag, cost=cost)
    if environment.tag_headers and not any(each.headers_in_notifications for each in environment.identities.values()):
        yield _finding("tag-headers-without-headers", ["tag_headers"])
    if len(environment.contact_lists) > 1:
        yield _finding("several-contact-lists", ["contact_lists"], number=len(environment.contact_lists))
    for name, contacts in environment.contact_lists.items():
        changed = _different_settings(contacts, ContactList(), ("description", "topics", "resource_tags"))
        if contacts.existing and changed:
            yield _finding("setting-of-existing-list", ["contact_lists", name], settings=", ".join(changed))
    existing = environment.existing_state
    if bool(existing.ledger_table) != bool(existing.ledger_stream_arn):
        yield _finding("ledger-without-stream", ["existing_state"])
    if bool(existing.suppressions_table) != bool(existing.suppressions_stream_arn):
        yield _finding("suppressions-without-stream", ["existing_state"])
    if not environment.alarm_addresses and not environment.is_emulated:
        yield _finding("no-alarm-recipients", ["alarm_addresses"])
    yield from _check_policy(environment.suppression, environment.retention)
    if environment.canary:
        yield from _check_canary(environment.canary, environment)
    yield from _check_capacity(environment)
    yield from _check_names(environment)


def _check_names(environment: Environment) -> Iterator[Finding]:
    taken = len(msgspec.json.encode(environment.tracked))
    if taken > MAX_NAMES_BYTES:
        sizes = {"number": len(environment.tracked), "bytes": taken, "maximum": MAX_NAMES_BYTES}
        yield _finding("too-long-names", ["configuration_sets"], **sizes)


def _check_canary(canary: Canary, environment: Environment) -> Iterator[Finding]:
    name, sets = canary.configuration_set, environment.configuration_sets
    if name not in sets:
        hint = suggestion(name, list(sets))
        yield _finding("unknown-configuration-set", ["canary", "configuration_set"], name=name, suggestion=hint)
    elif missing := NEEDED_KINDS - sets[name].published:
        kinds = _join(sorted(kind.value for kind in missing))
        yield _finding("canary-not-published", ["canary", "configuration_set"], name=name, kinds=kinds)
    if environment.canary_identity is None:
        yield _finding("canary-without-identity", ["canary", "from_address"], address=canary.from_address)
    if environment.suppression.simulator == "real":
        yield _finding("canary-counted", ["canary"])


def _check_capacity(environment: Environment) -> Iterator[Finding]:
    peak = peak_events(environment)
    for capacity in capacities(environment):
        if peak > capacity.events:
            values = capacity._asdict() | {"events": round(capacity.events), "needed": capacity.needed(peak)}
            values |= {"messages": environment.monthly_messages, "peak": round(peak)}
            if capacity.key is None:
                yield _finding("volume-exceeds-quota", ["monthly_messages"], **values)
            else:
                values["note"] = GROWN_TABLES if capacity.key == ["warm_throughput"] else ""
                yield _finding("volume-exceeds-setting", capacity.key, **values)


def _check_policy(policy: Policy, retention: Retention) -> Iterator[Finding]:
    window, volume = policy.soft_bounce_window_days, retention.volume_days
    if window > volume:
        path: KeyPath = ["suppression", "soft_bounce_window_days"]
        yield _finding("window-longer-than-volume", path, window=window, volume=volume)
    for rule, setting in policy.effects.items():
        if rule in LIFTING_RULES and setting != "none":
            yield _finding("effect-of-lifting-rule", ["suppression", "effects", rule], rule=rule)


def _check_region(region: str) -> Iterator[Finding]:
    if region not in services_by_region():
        hint = suggestion(region, list(services_by_region()))
        yield _finding("unknown-region", ["region"], region=region, suggestion=hint)
    elif missing := missing_services(region):
        yield _finding("region-without-service", ["region"], region=region, services=_join(missing))


def _check_configuration_set(
    path: KeyPath, configuration_set: ConfigurationSet, environment: Environment
) -> Iterator[Finding]:
    notifications = [identity.notifications for identity in environment.identities.values()]
    for kind in SUPPRESSING:
        if kind not in configuration_set.published:
            is_notified = bool(notifications) and all(kind in types for types in notifications)
            yield _finding("feedback-without-tags" if is_notified else "feedback-not-published", path, kind=kind)
    if configuration_set.https_policy and not configuration_set.redirect_domain:
        yield _finding("https-policy-without-domain", [*path, "https_policy"])
    tracked = _tracked(configuration_set.published)
    if tracked:
        yield _finding("tracking-enabled", [*path, "archive"], kinds=_join(tracked))
    destinations = configuration_set.event_destinations
    needed = len(RESERVED_DESTINATIONS) - (not environment.count_sends)
    if len(destinations) > MAX_DESTINATIONS - needed:
        numbers = {"number": len(destinations), "maximum": MAX_DESTINATIONS, "needed": needed}
        yield _finding("too-many-destinations", [*path, "event_destinations"], **numbers)
    for name, destination in destinations.items():
        destination_path = [*path, "event_destinations", name]
        yield from _check_destination(destination_path, name, destination, environment.region)
        if environment.count_sends and _counts_sends(destination):
            yield _finding("sends-counted-twice", destination_path)
        if also_tracked := [kind for kind in _tracked(destination.events) if kind not in tracked]:
            yield _finding("tracking-enabled", destination_path, kinds=_join(also_tracked))


def _counts_sends(destination: EventDestination) -> bool:
    """Tell whether a destination has the metric that Aftersend's own has."""
    names = [[each.name for each in one.cloudwatch_dimensions] for one in (destination, SEND_METRIC)]
    return Kind.SEND in destination.events and names[0] == names[1]


def _tracked(kinds: Iterable[Kind]) -> list[str]:
    return sorted(kind.value for kind in kinds if kind in TRACKED)


def _check_destination(path: KeyPath, name: str, destination: EventDestination, region: str) -> Iterator[Finding]:
    if name in RESERVED_DESTINATIONS:
        yield _finding("reserved-name", path, name=name)
    if len(destination.targets) != 1:
        yield _finding("not-one-target", path, targets=_join(destination.targets) or "none")
    for field in ("sns_topic_arn", "firehose_stream_arn"):
        arn = getattr(destination, field)
        if arn and arn.split(":")[3] != region:
            yield _finding("target-in-other-region", [*path, field], region=region, arn=arn)
    if destination.sns_topic_arn and destination.sns_topic_arn.endswith(".fifo"):
        yield _finding("fifo-topic", [*path, "sns_topic_arn"])
    yield from _check_dimensions([*path, "cloudwatch_dimensions"], destination.cloudwatch_dimensions)


def _check_dimensions(path: KeyPath, dimensions: tuple[Dimension, ...]) -> Iterator[Finding]:
    number = len(dimensions)
    if number > MAX_DIMENSIONS:
        yield _finding("too-many-dimensions", path, number=number, maximum=MAX_DIMENSIONS)
    elif number >= MANY_DIMENSIONS:
        yield _finding("many-dimensions", path, number=number, price=METRIC_PRICE, combinations=10**number)
    for index, dimension in enumerate(dimensions):
        if dimension.source == "emailHeader" and dimension.name.lower() in UNSUPPORTED_HEADERS:
            yield _finding("unsupported-header", [*path, index], name=dimension.name)
        elif has_many_values(dimension.name):
            cost = f"a metric at {METRIC_PRICE} a month for each event type"
            yield _finding("high-cardinality", [*path, index], name=dimension.name, cost=cost)


def _identity_errors(path: KeyPath, name: str, identity: Identity, sets: list[str]) -> Iterator[Finding]:
    if (default := identity.configuration_set) and default not in sets:
        hint = suggestion(default, sets)
        yield _finding("unknown-configuration-set", [*path, "configuration_set"], name=default, suggestion=hint)
    if extra := [kind for kind in identity.headers_in_notifications if kind not in identity.notifications]:
        yield _finding("headers-without-notifications", [*path, "headers_in_notifications"], kinds=_join(extra))
    missing = _missing_notifications(identity)
    if missing and not identity.feedback_forwarding:
        yield _finding("forwarding-needs-topics", [*path, "feedback_forwarding"], kinds=_join(missing))
    changed = _different_settings(identity, Identity(), ONLY_WHERE_CREATED)
    if identity.existing and changed:
        yield _finding("setting-of-existing-identity", path, settings=", ".join(changed))
    domain = name.rpartition("@")[2].lower()
    if "@" in name and (dkim := _different_settings(identity, Identity(), ("dkim_signing", "dkim_key_length"))):
        yield _finding("dkim-of-address", path, settings=", ".join(dkim), domain=domain)
    mail_from = identity.mail_from_domain
    if mail_from and not mail_from.endswith(f".{domain}"):
        yield _finding("mail-from-not-subdomain", [*path, "mail_from_domain"], name=mail_from, domain=domain)


def _identity_warnings(path: KeyPath, name: str, identity: Identity, environment: Environment) -> Iterator[Finding]:
    missing = _missing_notifications(identity)
    if identity.configuration_set is None:
        first = next(iter(environment.configuration_sets), "NAME")
        fix = SET_DEFAULT_MANUALLY.format(name=name) if identity.existing else f'Add configuration_set = "{first}".'
        yield _finding("no-default-configuration-set", path, fix=fix)
        if missing:
            yield _finding("feedback-lost-without-set", path, kinds=_join(missing))
    if identity.feedback_forwarding and not missing:
        yield _finding("feedback-forwarding-on", [*path, "feedback_forwarding"])
    default = environment.configuration_sets.get(identity.configuration_set or "")
    published = {kind.value for kind in default.published} if default else set()
    needed = () if missing else SUPPRESSING  # with both, feedback forwarding can be turned off
    if duplicates := [kind for kind in identity.notifications if kind in published and kind not in needed]:
        yield _finding("duplicate-feedback", [*path, "notifications"], kinds=_join(duplicates))
    domain = environment.identities.get(name.partition("@")[2])
    if domain and (different := _different_settings(identity, domain, NOT_INHERITED)):
        yield _finding("address-overrides-domain", path, settings=", ".join(different))


def _missing_notifications(identity: Identity) -> list[str]:
    return [kind for kind in SUPPRESSING if kind not in identity.notifications]


def _different_settings(section: Section, other: Section, names: Iterable[str]) -> list[str]:
    return [name for name in names if getattr(section, name) != getattr(other, name)]


def _join(words: Iterable[str]) -> str:
    return " and ".join(words)
