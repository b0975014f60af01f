"""Judge what Amazon SES publishes, and whether it sends, by its responses."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aftersend.config import SEND_METRIC, Environment, EventDestination
from aftersend.events import Kind
from aftersend.operations.findings import DEPLOY, DEPLOY_OR_RESTORE, Answer, Answers, Finding, critical, notice, warning

MAX_QUOTA_SHARE = 0.8
"""How much of the daily quota may be used; beyond it, a campaign soon fails."""

TRACKED = {Kind.OPEN.name, Kind.CLICK.name}
"""SES rewrites the messages of a set that publishes one of these to any destination."""

REASONS = ("BOUNCE", "COMPLAINT")
"""For which SES suppresses addresses of the account suppression list, unless the account says otherwise."""

DKIM_GUIDE = "Publish the CNAME records of the identity (output DnsRecords… of the Publishing stack)."

Destinations = Mapping[str, list[Answer] | None]
"""Event destinations by configuration set."""


def judge_configuration_sets(sets: Answers, environment: Environment | None) -> Iterator[Finding]:
    for name, answer in sets.items():
        settings = environment.configuration_sets.get(name) if environment else None
        if answer is None:
            yield critical(f"SES has no configuration set {name}: mail that names it is refused.", DEPLOY_OR_RESTORE)
        elif not answer["SendingOptions"]["SendingEnabled"] and (settings is None or settings.sending_enabled):
            command = f"aws sesv2 put-configuration-set-sending-options --configuration-set-name {name}"
            fix = f"Find out who paused it and why; resume: `{command} --sending-enabled`."
            yield critical(f"Sending with the configuration set {name} is paused.", fix)


def judge_event_destinations(
    destinations: Destinations, environment: Environment, topic: str, streams: Iterable[str]
) -> Iterator[Finding]:
    """Compare event destinations with the environment file. `topic` and `streams` are Aftersend's own targets."""
    for name in environment.configuration_sets:
        answers = destinations.get(name)
        present = {each["Name"]: each for each in answers or ()}
        for destination, wanted in _wanted(name, environment, topic).items() if answers is not None else ():
            place = f"{name}: the event destination {destination}"
            answer = present.get(destination)
            if answer is None:
                yield critical(f"{place} is missing.", DEPLOY_OR_RESTORE)
            elif wanted.enabled and not answer["Enabled"]:
                yield critical(f"{place} is disabled: SES publishes nothing to it.", DEPLOY_OR_RESTORE)
            elif problem := _difference(answer, wanted, None if destination != "archive" else streams):
                yield critical(f"{place} {problem}.", DEPLOY_OR_RESTORE)


def _wanted(name: str, environment: Environment, topic: str) -> dict[str, EventDestination]:
    settings = environment.configuration_sets[name]
    own = {
        "feedback": EventDestination(events=settings.feedback, sns_topic_arn=topic),
        "archive": EventDestination(events=settings.archive),
        **({"sends": SEND_METRIC} if name in environment.compared_sets else {}),
    }
    return {name: each for name, each in (own | settings.event_destinations).items() if each.events}


def _difference(answer: Answer, wanted: EventDestination, streams: Iterable[str] | None) -> str:
    """Describe how a destination differs from the wanted one; empty if it does not."""
    kinds, published = {kind.name for kind in wanted.events}, {*answer["MatchingEventTypes"]}
    if missing := kinds - published:
        return f"does not publish {_kinds(missing)}"
    if extra := published - kinds:
        return f"publishes {_kinds(extra)}, which the environment file does not have"
    topic = answer.get("SnsDestination", {}).get("TopicArn")
    if wanted.sns_topic_arn and topic != wanted.sns_topic_arn:
        return f"publishes to {topic or 'no topic'} instead of {wanted.sns_topic_arn}"
    stream = answer.get("KinesisFirehoseDestination", {}).get("DeliveryStreamArn", "no stream")
    if streams is not None and stream.rpartition("/")[2] not in streams:
        return f"publishes to {stream} instead of the environment's stream"
    return ""


def judge_tracking(destinations: Destinations, environment: Environment) -> Iterator[Finding]:
    """Find opens and clicks that any destination publishes, but that are not in the environment file."""
    for name in environment.configuration_sets:
        wanted = {kind.name for each in _wanted(name, environment, "").values() for kind in each.events} & TRACKED
        for answer in destinations.get(name) or ():
            if unwanted := {*answer["MatchingEventTypes"]} & TRACKED - wanted if answer["Enabled"] else set():
                problem = f"{name}: the event destination {answer['Name']} publishes {_kinds(unwanted)}: SES rewrites"
                fix = "Remove the event types there, or write them into the environment file."
                yield warning(f"{problem} every message of the set.", fix)


def judge_identities(identities: Answers) -> Iterator[Finding]:
    for name, answer in identities.items():
        if answer is None:
            yield critical(f"SES has no identity {name}: mail from it is refused.", DEPLOY_OR_RESTORE)
        elif not answer["VerifiedForSendingStatus"]:
            status = answer.get("VerificationStatus", "not verified")
            error = answer.get("VerificationInfo", {}).get("ErrorType")
            fix = DKIM_GUIDE if "@" not in name else "Open the link in the mail that SES sent to it."
            detail = f"{status}, {error}" if error else status
            yield critical(f"The identity {name} is not verified ({detail}): SES sends nothing from it.", fix)


def judge_dkim(identities: Answers, environment: Environment) -> Iterator[Finding]:
    """Judge the signatures of domains; an address has those of its domain."""
    for name, answer in identities.items():
        if answer is None or "@" in name:
            continue
        settings, dkim = environment.identities.get(name), answer["DkimAttributes"]
        if settings and not settings.existing and settings.dkim_signing != dkim.get("SigningEnabled"):
            switched = "on" if dkim.get("SigningEnabled") else "off"
            yield warning(f"{name}: DKIM signing is {switched}, other than in the environment file.", DEPLOY_OR_RESTORE)
        elif dkim.get("SigningEnabled") and dkim["Status"] != "SUCCESS":
            yield warning(f"{name}: mail is not signed, the state of DKIM is {dkim['Status']}.", DKIM_GUIDE)


def judge_mail_from(identities: Answers, environment: Environment) -> Iterator[Finding]:
    for name, answer in identities.items():
        if answer is None:
            continue
        settings, attributes = environment.identities.get(name), answer.get("MailFromAttributes", {})
        domain, status = attributes.get("MailFromDomain"), attributes.get("MailFromDomainStatus")
        if settings and not settings.existing and (settings.mail_from_domain or "") != (domain or ""):
            wanted = settings.mail_from_domain or "none"
            yield warning(f"{name}: the MAIL FROM domain is {domain or 'none'} instead of {wanted}.", DEPLOY_OR_RESTORE)
        elif domain and status != "SUCCESS":
            fix = f"Publish the MX and TXT records of {domain}."
            yield warning(f"{name}: the state of the MAIL FROM domain {domain} is {status}.", fix)


def judge_notification_settings(
    drift: Mapping[str, list[str]], identities: Iterable[str], verified: Iterable[str]
) -> Iterator[Finding]:
    """Judge how notification settings differ from the deployed ones, and find identities without deployed ones."""
    verified = {*verified}
    for name in identities:
        if name not in drift:
            yield warning(f"The notification settings of {name} were never deployed.", DEPLOY)
    for name, differences in drift.items():
        if differences and name in verified:  # SES accepts settings of no others
            fix = 'Set on_identity_drift = "restore" and deploy: the next hourly check restores them.'
            yield critical(f"{name}: {'; '.join(differences)}.", fix)


def judge_contact_lists(present: list[str], environment: Environment) -> Iterator[Finding]:
    for name in environment.contact_lists:
        if name not in present and present:
            problem = f"SES has no contact list {name}, but {', '.join(present)}: an account has one list."
            fix = "Name that one in the environment file, or export its contacts, delete it and deploy."
            yield critical(problem, fix)
        elif name not in present:
            yield critical(f"SES has no contact list {name}: mail that names it is refused.", DEPLOY_OR_RESTORE)


def judge_sending(account: Answer) -> Iterator[Finding]:
    if not account["SendingEnabled"]:
        fix = "Read the mail of AWS and the SES console; `aws sesv2 put-account-sending-attributes` resumes."
        yield critical("SES has paused sending of the whole account in this Region.", fix)


def judge_review(account: Answer) -> Iterator[Finding]:
    status = account.get("EnforcementStatus", "HEALTHY")
    if status != "HEALTHY":
        weight = critical if status == "SHUTDOWN" else warning
        yield weight(f"The enforcement status of the account is {status}.", "Answer the case that AWS opened.")


def judge_sandbox(account: Answer) -> Iterator[Finding]:
    if not account["ProductionAccessEnabled"]:
        problem = "The account is in the SES sandbox: SES sends only to verified addresses, 200 messages a day."
        yield critical(problem, "Request production access in the SES console of this Region.")


def judge_quota(account: Answer) -> Iterator[Finding]:
    quota: Mapping[str, Any] = account["SendQuota"]
    sent, most = quota["SentLast24Hours"], quota["Max24HourSend"]
    if most > 0 and sent > MAX_QUOTA_SHARE * most:  # -1 stands for no limit
        problem = f"{sent:,.0f} of {most:,.0f} messages of the daily quota are used ({sent / most:.0%})."
        yield warning(problem, "Request a higher quota (Service Quotas), or send less.")


def judge_account_list(account: Answer, environment: Environment) -> Iterator[Finding]:
    """Judge whether SES's account suppression list can be changed, and has an effect."""
    if environment.suppression.account_list == "sync" and not account["ProductionAccessEnabled"]:
        problem = 'The account suppression list cannot be changed as `account_list = "sync"` asks: in the sandbox SES '
        fix = 'Request production access in the SES console of this Region, or set `account_list = "read"`.'
        yield warning(f"{problem}refuses it.", fix)
    suppressed = account.get("SuppressionAttributes", {}).get("SuppressedReasons", REASONS)
    for reason in REASONS:
        if environment.suppression.account_list != "off" and reason not in suppressed:
            problem = f"SES sends to addresses that its account suppression list has as {reason}."
            fix = "If that is not intended: `aws sesv2 put-account-suppression-attributes` with both reasons."
            yield notice(problem, fix)


def _kinds(names: Iterable[str]) -> str:
    """Return event types as the environment file spells them."""
    return ", ".join(Kind[name].value if name in Kind.__members__ else name for name in sorted(names))
