"""Name what can break, and let SES answer accordingly."""

from datetime import UTC, datetime
from enum import Enum, auto

import msgspec

from aftersend.aws.canary import PARTITION as CANARY
from aftersend.aws.counters_table import CODES
from aftersend.aws.deployed_settings import DeployedNotifications
from aftersend.aws.serialization import serialize
from aftersend.contract import (
    FORGOTTEN,
    GUARD_PARTITION,
    IDENTITIES_PREFIX,
    PARTITION_KEY,
    SORT_KEY,
    NotificationSettings,
)
from aftersend.counting import CONFIGURATION_SET
from aftersend.metrics.guard import GuardState
from aftersend.suppression import Entry
from aftersend.suppression.mass_suppression import FEWEST_SUPPRESSED
from tests.adapters.identities import IDENTITY, REFUSED, UNTOUCHED, new_request
from tests.evaluators.account import Account
from tests.world.dynamodb import Table


class Fault(Enum):
    """What can break."""

    FEEDBACK_NOT_POLLED = auto()
    FEEDBACK_POISONED = auto()  # record_feedback fails on every message, again and again
    FEEDBACK_NOT_DELIVERED = auto()  # SNS cannot deliver to the queue
    ARCHIVE_NOT_POLLED = auto()
    ARCHIVE_POISONED = auto()
    LINES_DAMAGED = auto()
    FIREHOSE_STUCK = auto()
    FIREHOSE_THROTTLED = auto()
    FIREHOSE_REFUSED = auto()  # Firehose stores records below its error prefix
    COUNTING_FAILS = auto()
    COUNTING_FAILS_UNSTORED = auto()  # and the discarded batch cannot be stored
    CHANGES_UNCOUNTABLE = auto()
    EVENTS_REFUSED = auto()  # EventBridge accepts no changes of the suppression list
    EVENTS_REFUSED_UNSTORED = auto()  # and the discarded batch cannot be stored
    CHANGES_UNPUBLISHABLE = auto()
    IDENTITY_DRIFTED = auto()
    IDENTITY_REFUSED = auto()  # SES refuses the settings of another identity
    IDENTITY_UNVERIFIED = auto()
    DKIM_FAILED = auto()
    MAIL_FROM_FAILED = auto()
    SENDING_PAUSED = auto()
    ACCOUNT_UNDER_REVIEW = auto()
    QUOTA_USED = auto()
    CHECK_FAILS = auto()
    CHECK_FAILS_PARTLY = auto()  # one of its calls is denied
    CHECK_NOT_SCHEDULED = auto()
    ACCOUNT_LIST_DENIED = auto()
    ACCOUNT_LIST_FAILS = auto()  # SES accepts no additions
    SYNC_NOT_SCHEDULED = auto()
    SUPPRESSED_IN_MASSES = auto()  # feedback suppresses the recipients of most mail
    SWEEP_FAILS_PARTLY = auto()  # a recipient cannot be decided about
    SWEEP_NOT_SCHEDULED = auto()
    BOUNCE_RATE_HIGH = auto()
    BOUNCE_RATE_CRITICAL = auto()
    SET_PAUSED = auto()  # the guard has paused a configuration set
    SET_NOT_PAUSED = auto()  # and SES does not let it
    RATES_NOT_SCHEDULED = auto()
    SES_SILENT = auto()  # SES publishes no events
    COUNTING_STOPPED = auto()  # the mapping of count_tags is disabled
    SENDS_LOST = auto()  # some events are lost on their way
    MAIL_UNSEEN = auto()  # a part of the mail names no configuration set
    TAG_WITH_MANY_VALUES = auto()
    COUNT_CHECK_NOT_SCHEDULED = auto()
    CANARY_REFUSED = auto()
    CANARY_NOT_SCHEDULED = auto()


ACCOUNT_LIST_FAULTS = {Fault.ACCOUNT_LIST_DENIED, Fault.ACCOUNT_LIST_FAILS}
SWEEP_FAULTS = {Fault.SUPPRESSED_IN_MASSES, Fault.SWEEP_FAILS_PARTLY}
RATE_FAULTS = {Fault.BOUNCE_RATE_HIGH, Fault.BOUNCE_RATE_CRITICAL, Fault.SET_PAUSED, Fault.SET_NOT_PAUSED}


DAMAGED = ("reader@mail.example", "feedback#message#Bounce")
"""The key of a ledger item that is no event."""


def break_identities(account: Account, faults: set[Fault]) -> None:
    """Change what SES and the bucket answer about identities and sending, so that it has these faults and no others."""
    ses, only = account.ses, {IDENTITY}
    _break_settings(account, faults)
    ses.verified = ses.verified - only if Fault.IDENTITY_UNVERIFIED in faults else ses.verified | only
    ses.failed_dkim = only if Fault.DKIM_FAILED in faults else set()
    ses.failed_mail_from = only if Fault.MAIL_FROM_FAILED in faults else set()
    account.sending.is_denied = Fault.CHECK_FAILS_PARTLY in faults
    account.sending.account = {
        "ProductionAccessEnabled": True,
        "SendingEnabled": Fault.SENDING_PAUSED not in faults,
        "EnforcementStatus": "PROBATION" if Fault.ACCOUNT_UNDER_REVIEW in faults else "HEALTHY",
        "SendQuota": {
            "Max24HourSend": 50_000.0,
            "SentLast24Hours": 45_000.0 if Fault.QUOTA_USED in faults else 1_000.0,
        },
    }


def _break_settings(account: Account, faults: set[Fault]) -> None:
    """Let SES drop the settings of one identity, and refuse those of another."""
    if Fault.IDENTITY_DRIFTED in faults:
        account.ses.settings[IDENTITY] = UNTOUCHED
    else:
        account.invoke("set_identity_notifications", new_request("Update"))
    if Fault.IDENTITY_REFUSED in faults:
        refused = DeployedNotifications("refused.example", NotificationSettings({"Bounce": REFUSED}))
        account.s3.objects[f"{IDENTITIES_PREFIX}refused.example.json"] = msgspec.json.encode(refused)
        account.ses.verified.add("refused.example")
        account.ses.settings.setdefault("refused.example", UNTOUCHED)


def break_account_list(account: Account, faults: set[Fault]) -> None:
    """Let SES answer about the account list as these faults say, and let one address be missing on it."""
    account.account_list.is_denied = Fault.ACCOUNT_LIST_DENIED in faults
    account.account_list.is_failing = Fault.ACCOUNT_LIST_FAILS in faults
    account.account_list.addresses.clear()
    add_entry(account, Entry(recipient="missing@mail.example", reason="bounce", rule="hard-bounce"))


def break_suppressions(account: Account, faults: set[Fault]) -> None:
    """Let many recipients of recent mail bounce, or let the list have a temporary entry with a damaged event."""
    table_of(account, "Suppressions").items.clear()
    counters = table_of(account, "Counters").items
    for key in [key for key in counters if key[0] != CANARY]:
        del counters[key]
    table_of(account, "Ledger").items.pop(DAMAGED, None)
    now = datetime.now(UTC)
    if Fault.SUPPRESSED_IN_MASSES in faults:
        keys = {PARTITION_KEY: f"{CONFIGURATION_SET}#{now:%Y-%m-%d}#0", SORT_KEY: "newsletter"}
        counters = serialize(keys | {f"{CODES['hard_bounce']}{now.hour:02}": FEWEST_SUPPRESSED})
        table_of(account, "Counters").items[keys[PARTITION_KEY], keys[SORT_KEY]] = counters
    if Fault.SWEEP_FAILS_PARTLY in faults:
        table_of(account, "Ledger").items[DAMAGED] = {"kind": {"N": "7"}}
        add_entry(account, Entry(recipient=DAMAGED[0], reason="bounce", rule="hard-bounce", until=now))


def break_rates(account: Account, faults: set[Fault]) -> None:
    """Let mail of the last hour bounce, and let the guard have paused a set, so that there are these faults alone."""
    table_of(account, "Counters").items.clear()
    bounces = {Fault.BOUNCE_RATE_HIGH: 60, Fault.BOUNCE_RATE_CRITICAL: 200}
    for fault in faults & bounces.keys():
        count_storm(account, "newsletter", bounces=bounces[fault])
    if faults & {Fault.SET_PAUSED, Fault.SET_NOT_PAUSED}:
        remember_pause(account, "newsletter")
    account.sets.is_denied = Fault.SET_NOT_PAUSED in faults


def count_storm(account: Account, configuration_set: str, *, bounces: int) -> None:
    """Count a thousand messages of this hour, of which some bounced."""
    now = datetime.now(UTC)
    keys = {PARTITION_KEY: f"{CONFIGURATION_SET}#{now:%Y-%m-%d}#0", SORT_KEY: configuration_set}
    measures = {"send": 1_000, "hard_bounce": bounces}
    counters = {f"{CODES[measure]}{now.hour:02}": number for measure, number in measures.items()}
    table_of(account, "Counters").items[keys[PARTITION_KEY], keys[SORT_KEY]] = serialize(keys | counters)


def remember_pause(account: Account, configuration_set: str) -> None:
    """Let the guard remember that it has paused a configuration set."""
    keys = {PARTITION_KEY: GUARD_PARTITION, SORT_KEY: configuration_set}
    state = msgspec.json.encode(GuardState(paused_at=datetime.now(UTC))).decode()
    table_of(account, "Counters").items[GUARD_PARTITION, configuration_set] = serialize(keys | {"state": state})


def forget_pauses(account: Account) -> None:
    """Let the guard remember nothing."""
    items = table_of(account, "Counters").items
    for key in [key for key in items if key[0] == GUARD_PARTITION]:
        del items[key]


def add_entry(account: Account, entry: Entry) -> None:
    """Write a suppression entry as it stands."""
    keys = {PARTITION_KEY: entry.recipient, SORT_KEY: entry.scope}
    item = serialize(keys | msgspec.to_builtins(entry))
    table_of(account, "Suppressions").items[entry.recipient, entry.scope] = item


def add_tombstone(account: Account) -> None:
    """Let a recipient be forgotten, so that functions need the hash key."""
    keys = {PARTITION_KEY: FORGOTTEN, SORT_KEY: "1:00"}
    table_of(account, "Suppressions").items[FORGOTTEN, "1:00"] = serialize(keys)


def table_of(account: Account, name: str) -> Table:
    """Return the table whose name contains this."""
    return next(table for full_name, table in account.dynamodb.tables.items() if name in full_name)
