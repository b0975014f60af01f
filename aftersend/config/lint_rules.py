"""The traps an environment may run into: what problem in production, and how to fix it. `{…}` is filled in."""

from typing import NamedTuple


class Rule(NamedTuple):
    problem: str
    fix: str
    summary: str = ""
    """In a few words. Of warnings alone: what has none is refused by SES or CloudFormation, or dropped, so it cannot be
    accepted."""


RULES = {
    # of the whole environment
    "no-alarm-recipients": Rule(
        "alarms go to a topic nobody is subscribed to: dropped notification settings and stuck queues would be found "
        "by "
        "chance.",
        'Name who is mailed, as in alarm_addresses = ["operations@bookshop.example"].',
        "alarms that reach nobody",
    ),
    "several-contact-lists": Rule(
        "there are {number}; SES keeps one in an account and Region and refuses others.",
        "Make them topics of one list.",
    ),
    "unknown-finding": Rule("there is no such finding.", "Take out the line.{suggestion}"),
    # of configuration sets
    "feedback-not-published": Rule(
        "{kind} is in neither `feedback` nor `archive`, and not every identity notifies of it: nobody would be "
        "suppressed "
        "for it, and SES mails it to the Return-Path or Source, even with forwarding off.",
        'Add "{kind}" to `feedback`.',
        "bounces or complaints that nothing publishes",
    ),
    "feedback-without-tags": Rule(
        "{kind} is in neither `feedback` nor `archive`: only identity notifications tell of it, and they carry no "
        "message "
        "tags, so no campaign shows it.",
        'Add "{kind}" to `feedback`.',
        "bounces or complaints that only identity notifications tell, without tags",
    ),
    "https-policy-without-domain": Rule(
        "SES refuses it without a redirect domain: with its own domain links are always HTTPS.",
        "Add redirect_domain, or take this out.",
    ),
    "tracking-enabled": Rule(
        "asking for {kinds} makes SES rewrite every message of the configuration set: links lead over its own "
        "domain, and "
        "a pixel is added.",
        "Take them out, or accept it: many senders want to measure it, and some laws want it asked for.",
        "a destination that makes SES rewrite messages",
    ),
    # of event destinations
    "too-many-destinations": Rule(
        "there are {number}, and SES takes {most} of a configuration set, of which Aftersend needs two.",
        "Use a second configuration set, or let one topic or bus serve several.",
    ),
    "reserved-name": Rule(
        'Aftersend has a destination "{name}" of its own in every configuration set.', "Call it something else."
    ),
    "not-one-target": Rule(
        "an event destination has one target; this one has {targets}.",
        "Name one of sns_topic_arn, firehose_stream_arn, cloudwatch_dimensions, event_bridge; make another "
        "destination of "
        "each of the rest.",
    ),
    "target-in-other-region": Rule(
        "SES publishes within its own Region, {region}, and refuses {arn}.", "Name one of this Region."
    ),
    "fifo-topic": Rule(
        "this is a FIFO topic; SES publishes to standard topics alone and refuses it as an invalid SNS destination.",
        "Name a standard topic. The order is lost either way: SES does not keep one.",
    ),
    "too-many-dimensions": Rule(
        "there are {number}, and SES takes {most} of a destination.",
        "Leave out what nobody looks at; a second destination can have others.",
    ),
    "many-dimensions": Rule(
        "each combination of the values of {number} dimensions is a metric of its own for each event type, at "
        "{price} a "
        "month: ten values each make {combinations:,} a type.",
        "Use a destination for each question, or counted_tags: Aftersend's own counts cost no metric.",
        "dimensions whose combinations multiply",
    ),
    "unsupported-header": Rule(
        'SES takes the header "{name}" for no dimension: the metric would never come.',
        "Send a message tag or a header of your own.",
    ),
    "high-cardinality": Rule(
        '"{name}" looks like something with a value for each message or person: each is {what}.',
        "Use a tag that groups messages, as in campaign.",
        "a tag or dimension with a value per message or person",
    ),
    # of identities
    "unknown-configuration-set": Rule(
        'this environment has no configuration set "{name}": mail without the parameter would be refused.',
        "Name one of its own.{suggestion}",
    ),
    "no-default-configuration-set": Rule(
        "mail that names no configuration set has no sends, deliveries, opens or clicks here, and no tags: SMTP "
        "senders "
        "forget the header, and some API calls cannot name one.",
        "{fix}",
        "mail without a configuration set that is not seen",
    ),
    "feedback-lost-without-set": Rule(
        "{kinds} of mail that names no configuration set reach no channel: SES mails them to the Return-Path or "
        "Source, "
        "even with forwarding off, and nobody is suppressed.",
        "Add {kinds} to notifications, or a configuration_set.",
        "bounces or complaints of mail without a configuration set that nothing tells",
    ),
    "feedback-forwarding-on": Rule(
        "SES also mails every bounce and complaint to the Return-Path or Source: a full mailbox, with recipients' "
        "addresses and messages in it.",
        "Set feedback_forwarding = false: the topics tell.",
        "feedback that is mailed to the sender beside the topics",
    ),
    "duplicate-feedback": Rule(
        "{kinds} of its mail come over event publishing too: two messages for each, of which the one without tags is "
        "passed over.",
        "Take {kinds} out. (Bounce with Complaint is needed to switch feedback_forwarding off.)",
        "notifications of what event publishing tells already",
    ),
    "address-overrides-domain": Rule(
        "an address that is verified on its own takes nothing from its domain; here it differs in {settings}.",
        "Leave the address out, so that the domain's settings apply, or make them equal.",
        "an address that does not do as its domain does",
    ),
    "headers-without-notifications": Rule(
        "SES refuses headers in notifications it does not send: {kinds}.",
        "Add {kinds} to notifications, or take it out here.",
    ),
    "forwarding-needs-topics": Rule(
        "SES refuses to switch it off unless bounces and complaints both go to a topic.",
        "Add {kinds} to notifications, or leave it on.",
    ),
    "setting-of-existing-identity": Rule(
        "{settings} can be set only of an identity that this environment creates.",
        "Take them out, or take out existing.",
    ),
    "mail-from-not-subdomain": Rule(
        "{name} is no subdomain of {domain}, and SES takes no other.",
        'Use one that nothing else is sent from or received at, as in "bounce.{domain}".',
    ),
}

WARNINGS = {name: rule.summary for name, rule in RULES.items() if rule.summary}
"""What an environment may accept."""
