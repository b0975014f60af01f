"""Define the rules of the linter: what goes wrong in production, and how to fix it. `{…}` is filled in by lint.py."""

from typing import NamedTuple


class Rule(NamedTuple):
    """Hold the texts of a finding."""

    problem: str
    fix: str
    summary: str = ""
    """The problem in a few words, for warnings only. A rule without one is an error and cannot be accepted: SES or
    CloudFormation rejects the value, or silently drops it."""


RULES = {
    # The environment as a whole
    "no-alarm-recipients": Rule(
        "nobody is subscribed to the alarm topic, so nobody is notified of dropped notification settings or of "
        "messages in a dead-letter queue.",
        'Add the addresses to notify, for example alarm_addresses = ["operations@bookshop.example"].',
        "alarms that notify nobody",
    ),
    "unknown-region": Rule(
        'AWS has no Region "{region}", as far as the installed version of botocore knows.',
        "Correct the name, or update botocore if the Region is newer.{suggestion}",
    ),
    "region-without-service": Rule(
        "{region} has no {services}, as far as the installed version of botocore knows.",
        "Use a Region that has it: mail is sent, and its events are processed, in the same Region.",
    ),
    "thresholds-reversed": Rule(
        "it is above {critical}, so a rate would be critical before it is a warning.",
        "Set it to at most {critical}, or raise {key}.",
    ),
    "already-counted": Rule(
        '"{name}" is always counted: it changes nothing here.',
        "Remove it.",
        "a tag that is counted in any case",
    ),
    "volume-exceeds-setting": Rule(
        "{messages:,} messages a month have a peak of about {peak:,} events a second, but with {limit:,} {unit}, "
        "{part} carries {events:,}. Events are recorded or counted late.",
        "Set it to at least {needed}.{note}",
        "a setting that does not carry the peak of `monthly_messages`",
    ),
    "volume-exceeds-quota": Rule(
        "{messages:,} messages a month have a peak of about {peak:,} events a second, but with {limit:,} {unit}, "
        "{part} carries {events:,}: the default of {lever}. Events may be lost.",
        "Request at least {needed:,} {unit}, then accept this warning.",
        "a quota of AWS that does not carry the peak of `monthly_messages`",
    ),
    "tag-headers-without-headers": Rule(
        "no identity has `headers_in_notifications`. Mail without a configuration set gets no tags from headers: its "
        "feedback comes as identity notifications, which then have none.",
        'Add headers_in_notifications = ["Bounce", "Complaint"] to the identities, or accept this warning: the '
        "records of mail with a configuration set have headers.",
        "tags from headers that identity notifications do not have",
    ),
    "several-contact-lists": Rule(
        "this environment has {number} contact lists, but SES allows only one per account and Region.",
        "Keep one contact list, and make the others topics of it.",
    ),
    "setting-of-existing-list": Rule(
        "Aftersend changes nothing about an existing contact list, and cannot set {settings}.",
        "Remove these keys, or remove existing = true to let this environment create the contact list.",
    ),
    "ledger-without-stream": Rule(
        "the ledger that was retained needs both ledger_table and ledger_stream_arn, which is its stream.",
        "Add the key that is missing, or remove both to create a new ledger.",
    ),
    "window-longer-than-volume": Rule(
        "soft bounces of {window} days would be counted, but deliveries, which reset them, are only kept for {volume}.",
        "Set soft_bounce_window_days to at most retention.volume_days, or keep volume longer.",
    ),
    "effect-of-lifting-rule": Rule(
        'the rule "{rule}" also lifts, and cannot suppress by a fixed effect.',
        'Set it to "none", or remove the line.',
    ),
    "suppressions-without-stream": Rule(
        "the suppressions table that was retained needs both suppressions_table and suppressions_stream_arn, which is "
        "its stream.",
        "Add the key that is missing, or remove both to create a new table.",
    ),
    "unknown-finding": Rule(
        "there is no warning with this name, and errors cannot be accepted.",
        "Correct the name, or remove the line.{suggestion}",
    ),
    "canary-not-published": Rule(
        'the configuration set "{name}" does not publish {kinds}: these events of the canary would always be missing.',
        "Add {kinds} to its `feedback` or `archive`, or use another configuration set.",
    ),
    "canary-without-identity": Rule(
        '"{address}" belongs to no identity of this environment. SES would not send the canary, and its function may '
        "send as no other identity.",
        "Use an address of an identity, or define its identity.",
    ),
    "canary-counted": Rule(
        'with simulator = "real", the bounces and complaints of the canary are counted like those of recipients.',
        'Set suppression.simulator = "separate".',
        "a canary whose bounces and complaints are in the rates",
    ),
    # Configuration sets
    "feedback-not-published": Rule(
        "{kind} events are in neither `feedback` nor `archive`, and not every identity has {kind} in `notifications`. "
        "Their recipients would not be suppressed, and SES would mail this feedback to the Return-Path or Source "
        "address even if feedback forwarding is off.",
        'Add "{kind}" to `feedback`.',
        "bounces or complaints that Aftersend does not receive",
    ),
    "feedback-without-tags": Rule(
        "{kind} events are in neither `feedback` nor `archive`. Aftersend receives them only as identity "
        "notifications, which have no message tags, so they are counted for no campaign.",
        'Add "{kind}" to `feedback`.',
        "bounces or complaints that arrive only as identity notifications, without message tags",
    ),
    "https-policy-without-domain": Rule(
        "SES rejects an HTTPS policy without a redirect domain; links on SES's own domain always use HTTPS.",
        "Add redirect_domain, or remove https_policy.",
    ),
    "tracking-enabled": Rule(
        "publishing {kinds} events makes SES rewrite every message of the configuration set: links lead through a "
        "redirect domain, and a tracking pixel is added.",
        "Remove {kinds}, or accept this warning. Some laws require the recipient's consent to tracking.",
        "event types that make SES rewrite messages",
    ),
    "too-long-names": Rule(
        "the names of {number} configuration sets take {bytes:,} bytes of the settings of the function that shows the "
        "dashboard, and there is room for {maximum:,}.",
        "Use shorter names, or an environment for some of the sets.",
    ),
    # Event destinations
    "too-many-destinations": Rule(
        "there are {number} event destinations. SES allows {maximum} per configuration set, and Aftersend needs "
        "{needed} of them.",
        "Use a second configuration set, or one topic or event bus for several consumers.",
    ),
    "reserved-name": Rule(
        'Aftersend creates its own event destination named "{name}" in configuration sets.',
        "Choose another name.",
    ),
    "not-one-target": Rule(
        "an event destination must have exactly one target; this one has {targets}.",
        "Set one of sns_topic_arn, firehose_stream_arn, cloudwatch_dimensions or event_bridge. Each further target "
        "needs an event destination of its own.",
    ),
    "sends-counted-twice": Rule(
        "Aftersend's own event destination already publishes this metric of sends. SES would add to it twice, and half "
        "of the mail would seem to be missing.",
        'Remove "Send" here, add a dimension, or set count_sends = false.',
    ),
    "target-in-other-region": Rule(
        "SES publishes only to targets in its own Region, {region}, and rejects {arn}.",
        "Use a target in {region}.",
    ),
    "fifo-topic": Rule(
        "this is a FIFO topic, but SES publishes only to standard topics.",
        "Use a standard topic. A FIFO topic would gain nothing: SES does not publish events in order.",
    ),
    "too-many-dimensions": Rule(
        "there are {number} dimensions, but SES allows {maximum} per event destination.",
        "Remove dimensions that nobody uses, or move some to a second event destination.",
    ),
    "many-dimensions": Rule(
        "with {number} dimensions, each combination of their values is a separate metric for each event type, at "
        "{price} a month. Ten values per dimension make {combinations:,} metrics per event type.",
        "Use several event destinations with fewer dimensions, or counted_tags, which create no CloudWatch metrics.",
        "dimensions with many combinations of values",
    ),
    "unsupported-header": Rule(
        'SES does not support the header "{name}" as a dimension, and would never publish the metric.',
        "Use a message tag, or a custom header.",
    ),
    "high-cardinality": Rule(
        '"{name}" seems to have a different value for each message or person, and each value creates {cost}.',
        "Use a tag that groups messages, such as campaign.",
        "a tag or dimension with a different value for each message or person",
    ),
    # Identities
    "unknown-configuration-set": Rule(
        'this environment has no configuration set "{name}". SES would reject mail that relies on this default.',
        "Use a configuration set of this environment.{suggestion}",
    ),
    "no-default-configuration-set": Rule(
        "mail that names no configuration set has no Send, Delivery, Open or Click events, and its bounces and "
        "complaints have no message tags. SMTP clients often omit the header, and some API calls have no such "
        "parameter.",
        "{fix}",
        "an identity without a default configuration set",
    ),
    "feedback-lost-without-set": Rule(
        "Aftersend does not receive {kinds} feedback for mail that names no configuration set. Its recipients would "
        "not be suppressed, and SES would mail this feedback to the Return-Path or Source address even if feedback "
        "forwarding is off.",
        "Add {kinds} to `notifications`, or set configuration_set.",
        "bounces or complaints that Aftersend does not receive for mail without a configuration set",
    ),
    "feedback-forwarding-on": Rule(
        "SES also mails every bounce and complaint, with the recipient's address and the message, to the Return-Path "
        "or Source address.",
        "Set feedback_forwarding = false. Aftersend receives the same feedback through its topic.",
        "bounces and complaints that SES also mails to the sender",
    ),
    "duplicate-feedback": Rule(
        "the configuration set already publishes {kinds} events, so each arrives twice. Aftersend ignores the second "
        "copy, which has no message tags.",
        "Remove {kinds} from `notifications`. (To set feedback_forwarding = false, keep both Bounce and Complaint.)",
        "notifications of events that the configuration set already publishes",
    ),
    "address-overrides-domain": Rule(
        "an address that is verified separately inherits no settings from its domain. It differs in {settings}.",
        "Remove the address, so that the domain's settings apply, or give both the same settings.",
        "an e-mail address with other settings than its domain",
    ),
    "headers-without-notifications": Rule(
        "SES rejects headers for notification types that are not in `notifications`: {kinds}.",
        "Add {kinds} to `notifications`, or remove it here.",
    ),
    "forwarding-needs-topics": Rule(
        "SES turns feedback forwarding off only if `notifications` has both Bounce and Complaint.",
        "Add {kinds} to `notifications`, or set feedback_forwarding = true.",
    ),
    "setting-of-existing-identity": Rule(
        "Aftersend manages only the notifications of an existing identity, and cannot set {settings}.",
        "Remove these keys, or remove existing = true to let this environment create the identity.",
    ),
    "dkim-of-address": Rule(
        "DKIM belongs to a domain, and SES accepts no settings of an address: {settings}.",
        "Remove these keys. The mail of the address is signed as its domain, {domain}, is.",
    ),
    "mail-from-not-subdomain": Rule(
        '"{name}" is not a subdomain of "{domain}", and SES accepts no other MAIL FROM domain.',
        'Use a subdomain that neither sends nor receives other mail, for example "bounce.{domain}".',
    ),
}
"""Every finding by its id."""

WARNINGS = {name: rule.summary for name, rule in RULES.items() if rule.summary}
"""The findings that an environment may accept, and what each means in a few words."""
