"""Model the mail of configuration sets: what SES counts itself, and what the pipeline counts."""

from collections import Counter
from datetime import datetime
from typing import NamedTuple

from aftersend import ledger
from aftersend.aws.counters_table import CODES
from aftersend.aws.serialization import serialize
from aftersend.canary import EXPECTED
from aftersend.contract import PARTITION_KEY, SORT_KEY
from aftersend.counting import CONFIGURATION_SET
from tests.evaluators.account import Account
from tests.evaluators.faults import Fault, table_of
from tests.event_factory import an_event

SENDS_A_MINUTE, LOST_EVERY = 10, 10
"""How much is sent, and in which minutes it is lost if events are lost."""

NOT_RECORDED = {Fault.SES_SILENT}
NOT_COUNTED = {Fault.COUNTING_STOPPED, Fault.COUNTING_FAILS, Fault.COUNTING_FAILS_UNSTORED}
NOT_ARCHIVED = {Fault.ARCHIVE_NOT_POLLED, Fault.ARCHIVE_POISONED, Fault.FIREHOSE_STUCK}
"""Faults that keep events from the ledger, and sends from the counters: feedback has two routes, sends have one."""


class Send(NamedTuple):
    """A message of a configuration set, and the hour in which it was sent."""

    configuration_set: str
    hour: datetime


class Mail:
    """The mail of some configuration sets. What is not counted while a part is broken is counted after the repair."""

    def __init__(self, account: Account, configuration_sets: tuple[str, ...]) -> None:
        self._account, self._sets = account, configuration_sets
        self._counted: Counter[Send] = Counter()
        self._waiting: Counter[Send] = Counter()
        self._lost: Counter[Send] = Counter()

    def send(self, now: datetime, faults: set[Fault]) -> None:
        """Send messages with every configuration set, and count what has arrived."""
        hour = now.replace(minute=0)
        published = self._account.send_metrics.sends
        for name in self._sets:
            published.setdefault(name, Counter())[hour] += SENDS_A_MINUTE
            is_lost = Fault.SENDS_LOST in faults and now.minute % LOST_EVERY == 0
            (self._lost if is_lost else self._waiting)[Send(name, hour)] += SENDS_A_MINUTE
        if Fault.MAIL_UNSEEN in faults:
            published.setdefault(None, Counter())[hour] += SENDS_A_MINUTE
        if not faults & (NOT_RECORDED | NOT_ARCHIVED | NOT_COUNTED):
            self._counted += self._waiting
            self._waiting.clear()

    def repair(self) -> None:
        """Record again what was lost, and forget mail that named no configuration set."""
        self._waiting += self._lost
        self._lost.clear()
        self._account.send_metrics.sends.pop(None, None)

    def write_counters(self, now: datetime, many: int, faults: set[Fault]) -> None:
        """Write what was counted, and the values of a tag, of which there are few or more than `many` on each day."""
        items = table_of(self._account, "Counters").items
        for (name, hour), number in self._counted.items():
            key = f"{CONFIGURATION_SET}#{hour:%Y-%m-%d}#0", name
            items.setdefault(key, serialize({PARTITION_KEY: key[0], SORT_KEY: key[1]}))
            items[key] |= serialize({f"{CODES['send']}{hour:%H}": number})
        for number in range(many + 1 if Fault.TAG_WITH_MANY_VALUES in faults else 1):
            for day in {now.date(), *(send.hour.date() for send in self._counted)}:
                key = f"campaign#{day}#1", f"{number}"
                items[key] = serialize({PARTITION_KEY: key[0], SORT_KEY: key[1], f"{CODES['send']}00": 1})


def record_canary(account: Account, faults: set[Fault]) -> None:
    """Record the events of the canary's messages, unless SES publishes none."""
    if faults & NOT_RECORDED:
        return
    for recipient in account.sending.recipients:
        for kind in EXPECTED[recipient.partition("+")[0]]:
            event = an_event(kind, recipient=recipient)
            key = ledger.key(event)
            keys = {PARTITION_KEY: key.partition, SORT_KEY: key.sort}
            table_of(account, "Ledger").items[key] = serialize(ledger.attributes(event) | keys)
    account.sending.recipients.clear()
