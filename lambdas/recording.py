"""Build the recorder and its tables, once per process and on first use."""

from datetime import UTC, datetime
from functools import cache

from aftersend.aws.attempts import attempts
from aftersend.aws.clients import client
from aftersend.aws.ledger_table import LedgerTable
from aftersend.aws.secrets import secret_text
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.aws.tombstones import Tombstones
from aftersend.contract import Variable
from aftersend.parsing import Options
from aftersend.recorder import Recorder
from aftersend.retention import Retention
from aftersend.suppression import Policy
from lambdas.settings import setting, text_setting


@cache
def recorder() -> Recorder:
    return Recorder(
        ledger=ledger(),
        suppressions=suppressions(),
        policy=setting(Variable.POLICY, Policy),
        history=ledger().retention_history(datetime.now(UTC)),
        now=lambda: datetime.now(UTC),
        attempts=attempts,
        forgotten=tombstones().read,
    )


@cache
def parsing_recorder() -> Recorder:
    """Return the recorder of the functions that parse records."""
    return recorder()._replace(options=setting(Variable.PARSING, Options))


@cache
def ledger() -> LedgerTable:
    retention = setting(Variable.RETENTION, Retention)
    return LedgerTable(client("dynamodb"), text_setting(Variable.LEDGER_TABLE), retention)


@cache
def suppressions() -> SuppressionsTable:
    return SuppressionsTable(client("dynamodb"), text_setting(Variable.SUPPRESSIONS_TABLE))


@cache
def tombstones() -> Tombstones:
    return Tombstones(client("dynamodb"), text_setting(Variable.SUPPRESSIONS_TABLE), hash_key)


def hash_key() -> str:
    return secret_text(text_setting(Variable.HASH_KEY_SECRET))
