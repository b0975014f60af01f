"""The functions' collaborators, made once per process on first use."""

from datetime import UTC, datetime
from functools import cache

from aws_lambda_powertools import Logger

from aftersend.aws.archive import Archive
from aftersend.aws.clients import attempts, client
from aftersend.aws.deployed_settings import DeployedSettings
from aftersend.aws.identity_settings import IdentitySettings
from aftersend.aws.ledger_table import LedgerTable
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.ledger import Retention
from aftersend.recorder import Recorder
from aftersend.suppression import Policy
from lambdas.settings import setting, text_setting

logger = Logger(service="aftersend")


@cache
def recorder() -> Recorder:
    retention = setting("RETENTION", Retention)
    return Recorder(
        ledger=LedgerTable(client("dynamodb"), text_setting("LEDGER_TABLE"), retention),
        suppressions=SuppressionsTable(client("dynamodb"), text_setting("SUPPRESSIONS_TABLE")),
        policy=setting("POLICY", Policy),
        retention=retention,
        now=lambda: datetime.now(UTC),
        attempts=attempts,
    )


@cache
def archive() -> Archive:
    return Archive(client("s3"))


@cache
def identity_settings() -> IdentitySettings:
    return IdentitySettings(client("ses"), pace_seconds=setting("PACE_SECONDS", float))


@cache
def deployed_settings() -> DeployedSettings:
    return DeployedSettings(client("s3"), text_setting("ARCHIVE_BUCKET"))
