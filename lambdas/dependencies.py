"""Build the functions' collaborators, once per process and on first use."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec
from aws_lambda_powertools import Logger

from aftersend.aws.account_list import AccountList, AccountListFiles
from aftersend.aws.archive import Archive
from aftersend.aws.attempts import attempts
from aftersend.aws.clients import client
from aftersend.aws.counters_table import CountersTable
from aftersend.aws.deployed_settings import DeployedSettings
from aftersend.aws.event_bus import EventBus
from aftersend.aws.failed_objects import FailedObjects
from aftersend.aws.identity_settings import IdentitySettings
from aftersend.aws.ledger_table import LedgerTable
from aftersend.aws.sending_account import SendingAccount
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.aws.tombstones import Tombstones
from aftersend.contract import ENVIRONMENT_DIMENSION, Variable
from aftersend.metrics import emf_document
from aftersend.recorder import Recorder
from aftersend.retention import Retention
from aftersend.suppression import Policy
from lambdas.settings import setting, text_setting

logger = Logger(service="aftersend")


@cache
def recorder() -> Recorder:
    retention = setting(Variable.RETENTION, Retention)
    ledger = LedgerTable(client("dynamodb"), text_setting(Variable.LEDGER_TABLE), retention)
    return Recorder(
        ledger=ledger,
        suppressions=suppressions(),
        policy=setting(Variable.POLICY, Policy),
        history=ledger.retention_history(datetime.now(UTC)),
        now=lambda: datetime.now(UTC),
        attempts=attempts,
        forgotten=tombstones().read,
    )


@cache
def suppressions() -> SuppressionsTable:
    return SuppressionsTable(client("dynamodb"), text_setting(Variable.SUPPRESSIONS_TABLE))


@cache
def tombstones() -> Tombstones:
    return Tombstones(client("dynamodb"), text_setting(Variable.SUPPRESSIONS_TABLE), hash_key)


@cache
def hash_key() -> str:
    secret = text_setting(Variable.HASH_KEY_SECRET)
    return client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]


@cache
def archive() -> Archive:
    return Archive(client("s3"))


@cache
def counters() -> CountersTable:
    return CountersTable(
        client("dynamodb"),
        text_setting(Variable.COUNTERS_TABLE),
        retention_days=setting(Variable.RETENTION, Retention).counters_days,
        shard_suffixes=setting(Variable.COUNTER_SHARDS, int),
    )


@cache
def event_bus() -> EventBus:
    return EventBus(client("events"), text_setting(Variable.EVENT_BUS))


@cache
def identity_settings() -> IdentitySettings:
    return IdentitySettings(client("ses"), pace_seconds=setting(Variable.PACE_SECONDS, float))


@cache
def deployed_settings() -> DeployedSettings:
    return DeployedSettings(client("s3"), text_setting(Variable.ARCHIVE_BUCKET))


@cache
def sending_account() -> SendingAccount:
    return SendingAccount(client("sesv2"))


@cache
def failed_objects() -> FailedObjects:
    return FailedObjects(client("s3"), text_setting(Variable.ARCHIVE_BUCKET))


@cache
def account_list() -> AccountList:
    return AccountList(client("sesv2"), pace_seconds=setting(Variable.PACE_SECONDS, float))


@cache
def account_list_files() -> AccountListFiles:
    return AccountListFiles(client("s3"), text_setting(Variable.ARCHIVE_BUCKET))


def environment_document(measures: Mapping[str, int]) -> dict[str, Any]:
    """Return the document that makes metrics of measures of the environment as a whole, at this moment."""
    return emf_document(measures, {ENVIRONMENT_DIMENSION: text_setting(Variable.ENVIRONMENT)}, datetime.now(UTC))


def emit_metric(document: dict[str, Any]) -> None:
    """Print a document in the embedded metric format: CloudWatch extracts metrics from a function's output."""
    print(msgspec.json.encode(document).decode())
