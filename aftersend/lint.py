"""What would go wrong in production with an environment, told before it is deployed. Pure.

Each finding says what happens and how to mend it. What SES or CloudFormation would refuse, or drop, is an error, and
nothing is synthesised. All else is a warning, which the environment may accept with a reason (`accepted_findings`).
"""

import re
from collections.abc import Iterator

import msgspec

from aftersend.environment import ConfigurationSet, Dimension, Environment, EventDestination, Identity
from aftersend.environment_files import nearest, shown_path
from aftersend.events import Kind

MOST_DESTINATIONS = 10
"""Event destinations of one configuration set, ours included ("Service quotas in Amazon SES")."""
MOST_DIMENSIONS = 10
"""Dimensions of one CloudWatch event destination (as above)."""
MANY_DIMENSIONS = 3
"""From so many on, the combinations of values are more than anybody counted."""

OURS = ("feedback", "archive")
DECISIVE = (Kind.BOUNCE, Kind.COMPLAINT)
TRACKED = (Kind.OPEN, Kind.CLICK)

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

METRIC_PRICE = "$0.30"
"""What CloudWatch takes for a custom metric a month."""

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


class Finding(msgspec.Struct, frozen=True):
    """Something in an environment that does not do what it seems to."""

    id: str
    key: str
    """Where it stands in the file."""
    happens: str
    mend: str
    is_error: bool = False

    def __str__(self) -> str:
        return f"{self.key}: {self.happens} {self.mend} [{self.id}]"


WARNINGS = {
    "no-way-to-us": "bounces or complaints that nothing publishes",
    "no-tags-of-feedback": "bounces or complaints that only identity notifications tell, without tags",
    "told-twice": "notifications of what event publishing tells already",
    "mailed-too": "feedback that is mailed to the sender beside the topics",
    "no-default-configuration-set": "mail without a configuration set that is not seen",
    "address-of-its-own": "an address that does not do as its domain does",
    "high-cardinality": "a tag or dimension with a value per message or person",
    "many-dimensions": "dimensions whose combinations multiply",
    "tracking-switched-on": "a destination that makes SES rewrite messages",
    "nobody-is-alarmed": "alarms that reach nobody",
}
"""The findings an environment may accept, in a few words."""


def findings(environment: Environment) -> list[Finding]:
    """What is wrong with an environment, errors first; what it accepts with a reason is left out."""
    found = [*_of_environment(environment)]
    for name, configuration_set in environment.configuration_sets.items():
        found += _of_set(name, configuration_set, environment)
    for name, identity in environment.identities.items():
        found += _of_identity(name, identity, environment)
    kept = [finding for finding in found if finding.is_error or finding.id not in environment.accepted_findings]
    return sorted(kept, key=lambda finding: not finding.is_error)


def _of_environment(environment: Environment) -> Iterator[Finding]:
    for unknown in sorted(environment.accepted_findings.keys() - WARNINGS.keys()):
        yield Finding(
            "unknown-finding",
            shown_path(["accepted_findings", unknown]),
            "there is no such finding.",
            f"Take out the line.{nearest(unknown, list(WARNINGS))}",
            is_error=True,
        )
    for tag in environment.counted_tags:
        if _has_many_values(tag):
            yield Finding(
                "high-cardinality",
                "counted_tags",
                f'"{tag}" looks like a tag with a value for each message or person: each value gets a row of '
                "counters an "
                "hour, so counting would cost as much as recording.",
                "Count a tag that groups messages, as in campaign.",
            )
    if len(environment.contact_lists) > 1:
        yield Finding(
            "one-contact-list",
            "contact_lists",
            f"there are {len(environment.contact_lists)}; SES keeps one in an account and Region and refuses others.",
            "Make them topics of one list.",
            is_error=True,
        )
    if not environment.alarm_addresses and not environment.is_emulated:
        yield Finding(
            "nobody-is-alarmed",
            "alarm_addresses",
            "alarms go to a topic nobody is subscribed to: dropped notification settings and stuck queues would be "
            "found "
            "by chance.",
            'Name who is mailed, as in alarm_addresses = ["operations@bookshop.example"].',
        )


def _of_set(name: str, configuration_set: ConfigurationSet, environment: Environment) -> Iterator[Finding]:
    here: list[str | int] = ["configuration_sets", name]
    notified = [set(identity.notifications) for identity in environment.identities.values()]
    for kind in DECISIVE:
        if kind in configuration_set.published:
            continue
        if notified and all(kind.value in types for types in notified):
            yield Finding(
                "no-tags-of-feedback",
                shown_path(here),
                f"{kind} is in neither `feedback` nor `archive`: only identity notifications tell of it, and they "
                "carry no "
                "message tags, so no campaign shows it.",
                f'Add "{kind}" to `feedback`.',
            )
        else:
            yield Finding(
                "no-way-to-us",
                shown_path(here),
                f"{kind} is in neither `feedback` nor `archive`, and not every identity notifies of it: nobody would "
                "be "
                "suppressed for it, and SES mails it to the Return-Path or Source, even with forwarding off.",
                f'Add "{kind}" to `feedback`.',
            )
    destinations = configuration_set.event_destinations
    if len(destinations) > MOST_DESTINATIONS - len(OURS):
        yield Finding(
            "too-many-destinations",
            shown_path([*here, "event_destinations"]),
            f"there are {len(destinations)}, and SES takes {MOST_DESTINATIONS} of a configuration set, of which "
            "Aftersend "
            "needs two.",
            "Use a second configuration set, or let one topic or bus serve several.",
            is_error=True,
        )
    if configuration_set.https_policy and not configuration_set.redirect_domain:
        yield Finding(
            "https-without-domain",
            shown_path([*here, "https_policy"]),
            "SES refuses it without a redirect domain: with its own domain links are always HTTPS.",
            "Add redirect_domain, or take this out.",
            is_error=True,
        )
    tracking = {kind.value for kind in (*configuration_set.archive, *configuration_set.feedback) if kind in TRACKED}
    if tracking:
        yield _tracking([*here, "archive"], sorted(tracking))
    for other, destination in destinations.items():
        there = [*here, "event_destinations", other]
        yield from _of_destination(there, other, destination, environment.region)
        wanted = sorted({kind.value for kind in destination.events if kind in TRACKED} - tracking)
        if wanted:
            yield _tracking(there, wanted)


def _tracking(key: list[str | int], kinds: list[str]) -> Finding:
    return Finding(
        "tracking-switched-on",
        shown_path(key),
        f"asking for {' and '.join(kinds)} makes SES rewrite every message of the configuration set: links lead over "
        "its own domain, and a pixel is added.",
        "Take them out, or accept it: many senders want to measure it, and some laws want it asked for.",
    )


def _of_destination(key: list[str | int], name: str, found: EventDestination, region: str) -> Iterator[Finding]:
    if name in OURS:
        yield Finding(
            "name-is-ours",
            shown_path(key),
            f'Aftersend has a destination "{name}" of its own in every configuration set.',
            "Call it something else.",
            is_error=True,
        )
    if len(found.targets) != 1:
        yield Finding(
            "one-target",
            shown_path(key),
            f"an event destination has one target; this one has {' and '.join(found.targets) or 'none'}.",
            "Name one of sns_topic_arn, firehose_stream_arn, cloudwatch_dimensions, event_bridge; make another "
            "destination of each of the rest.",
            is_error=True,
        )
    for field in ("sns_topic_arn", "firehose_stream_arn"):
        arn = getattr(found, field)
        if arn and arn.split(":")[3] != region:
            yield Finding(
                "other-region",
                shown_path([*key, field]),
                f"SES publishes within its own Region, {region}, and refuses {arn}.",
                "Name one of this Region.",
                is_error=True,
            )
    if found.sns_topic_arn and found.sns_topic_arn.endswith(".fifo"):
        yield Finding(
            "fifo-topic",
            shown_path([*key, "sns_topic_arn"]),
            "this is a FIFO topic; SES publishes to standard topics alone and refuses it as an invalid SNS "
            "destination.",
            "Name a standard topic. The order is lost either way: SES does not keep one.",
            is_error=True,
        )
    yield from _of_dimensions([*key, "cloudwatch_dimensions"], found.cloudwatch_dimensions)


def _of_dimensions(key: list[str | int], dimensions: tuple[Dimension, ...]) -> Iterator[Finding]:
    if len(dimensions) > MOST_DIMENSIONS:
        yield Finding(
            "too-many-dimensions",
            shown_path(key),
            f"there are {len(dimensions)}, and SES takes {MOST_DIMENSIONS} of a destination.",
            "Leave out what nobody looks at; a second destination can have others.",
            is_error=True,
        )
    elif len(dimensions) >= MANY_DIMENSIONS:
        yield Finding(
            "many-dimensions",
            shown_path(key),
            f"each combination of the values of {len(dimensions)} dimensions is a metric of its own for each event "
            "type, "
            f"at {METRIC_PRICE} a month: ten values each make {10 ** len(dimensions):,} a type.",
            "Use a destination for each question, or counted_tags: Aftersend's own counts cost no metric.",
        )
    for number, dimension in enumerate(dimensions):
        if dimension.source == "emailHeader" and dimension.name.lower() in NO_DIMENSIONS:
            yield Finding(
                "no-dimension",
                shown_path([*key, number]),
                f'SES takes the header "{dimension.name}" for no dimension: the metric would never come.',
                "Send a message tag or a header of your own.",
                is_error=True,
            )
        elif _has_many_values(dimension.name):
            yield Finding(
                "high-cardinality",
                shown_path([*key, number]),
                f'"{dimension.name}" looks like something with a value for each message or person: each is a metric, '
                "at "
                f"{METRIC_PRICE} a month for each event type.",
                "Use a tag that groups messages, as in campaign.",
            )


def _has_many_values(name: str) -> bool:
    return bool(HIGH_CARDINALITY.search(name)) and not GROUPING.match(name)


def _of_identity(name: str, identity: Identity, environment: Environment) -> Iterator[Finding]:
    here: list[str | int] = ["identities", name]
    yield from _refused_of_identity(here, name, identity, environment)
    notified = set(identity.notifications)
    by_set: set[str] = set()
    if identity.configuration_set in environment.configuration_sets:
        by_set = {kind.value for kind in environment.configuration_sets[identity.configuration_set].published}
    if identity.configuration_set is None:
        mend = f'Add configuration_set = "{next(iter(environment.configuration_sets), "…")}".'
        if identity.already_there:
            mend = (
                "Set one by hand, for the identity is not ours: aws sesv2 "
                "put-email-identity-configuration-set-attributes "
                f"--email-identity {name} --configuration-set-name …; then accept this."
            )
        yield Finding(
            "no-default-configuration-set",
            shown_path(here),
            "mail that names no configuration set has no sends, deliveries, opens or clicks here, and no tags: SMTP "
            "senders forget the header, and some API calls cannot name one.",
            mend,
        )
        if missing := [kind.value for kind in DECISIVE if kind.value not in notified]:
            yield Finding(
                "no-way-to-us",
                shown_path(here),
                f"{' and '.join(missing)} of mail that names no configuration set reach no channel: SES mails them "
                "to the "
                "Return-Path or Source, even with forwarding off, and nobody is suppressed.",
                f"Add {' and '.join(missing)} to notifications, or a configuration_set.",
            )
    both = {kind.value for kind in DECISIVE} <= notified
    if both and identity.feedback_forwarding:
        yield Finding(
            "mailed-too",
            shown_path([*here, "feedback_forwarding"]),
            "SES also mails every bounce and complaint to the Return-Path or Source: a full mailbox, with recipients' "
            "addresses and messages in it.",
            "Set feedback_forwarding = false: the topics tell.",
        )
    needless = sorted((notified & by_set) - ({kind.value for kind in DECISIVE} if both else set()))
    if needless:
        yield Finding(
            "told-twice",
            shown_path([*here, "notifications"]),
            f"{' and '.join(needless)} of its mail come over event publishing too: two messages for each, of which "
            "the one "
            "without tags is passed over.",
            f"Take {' and '.join(needless)} out. (Bounce with Complaint is needed to switch feedback_forwarding off.)",
        )
    domain = environment.identities.get(name.partition("@")[2])
    if domain and (apart := [field for field in INHERITED if getattr(identity, field) != getattr(domain, field)]):
        yield Finding(
            "address-of-its-own",
            shown_path(here),
            "an address that is verified on its own takes nothing from its domain; here it differs in "
            f"{', '.join(apart)}.",
            "Leave the address out, so that the domain's settings apply, or make them equal.",
        )


def _refused_of_identity(
    here: list[str | int], name: str, identity: Identity, environment: Environment
) -> Iterator[Finding]:
    known = list(environment.configuration_sets)
    if identity.configuration_set and identity.configuration_set not in known:
        yield Finding(
            "unknown-configuration-set",
            shown_path([*here, "configuration_set"]),
            f'this environment has no configuration set "{identity.configuration_set}": mail without the parameter '
            "would be "
            "refused.",
            f"Name one of its own.{nearest(identity.configuration_set, known)}",
            is_error=True,
        )
    if extra := [kind for kind in identity.headers_in_notifications if kind not in identity.notifications]:
        yield Finding(
            "headers-without-notifications",
            shown_path([*here, "headers_in_notifications"]),
            f"SES refuses headers in notifications it does not send: {', '.join(extra)}.",
            f"Add {' and '.join(extra)} to notifications, or take it out here.",
            is_error=True,
        )
    missing = [kind.value for kind in DECISIVE if kind.value not in identity.notifications]
    if missing and not identity.feedback_forwarding:
        yield Finding(
            "forwarding-needs-topics",
            shown_path([*here, "feedback_forwarding"]),
            "SES refuses to switch it off unless bounces and complaints both go to a topic.",
            f"Add {' and '.join(missing)} to notifications, or leave it on.",
            is_error=True,
        )
    default = Identity()
    ours = [field for field in ONLY_WHERE_CREATED if getattr(identity, field) != getattr(default, field)]
    if identity.already_there and ours:
        yield Finding(
            "not-ours-to-set",
            shown_path(here),
            f"{', '.join(ours)} can be set only of an identity that this environment creates.",
            "Take them out, or take out already_there.",
            is_error=True,
        )
    domain = name.rpartition("@")[2].lower()
    if identity.mail_from_domain and not identity.mail_from_domain.endswith(f".{domain}"):
        yield Finding(
            "mail-from-elsewhere",
            shown_path([*here, "mail_from_domain"]),
            f"{identity.mail_from_domain} is no subdomain of {domain}, and SES takes no other.",
            f'Use one that nothing else is sent from or received at, as in "bounce.{domain}".',
            is_error=True,
        )
