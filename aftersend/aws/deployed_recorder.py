"""Build the recorder of a deployed environment, with the settings that its functions have at this moment."""

import time
from collections.abc import Callable, Container
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import NamedTuple, TypeVar

import msgspec

from aftersend.aws.attempts import attempts
from aftersend.aws.deployment import Deployment, Unavailable
from aftersend.aws.ledger_table import LedgerTable
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.aws.tombstones import Tombstones
from aftersend.contract import Variable
from aftersend.counting import Counted
from aftersend.metrics.reputation import Reputation
from aftersend.recorder import Recorder
from aftersend.retention import Retention
from aftersend.suppression import Policy

Setting = TypeVar("Setting")

FUNCTION_OUTPUT, COUNTING_FUNCTION_OUTPUT = "RecordFeedbackFunctionName", "CountTagsFunctionName"
RATES_FUNCTION_OUTPUT = "WatchRatesFunctionName"
"""Outputs of the stack Pipeline with the names of the functions whose settings are read."""


class DeployedSettings(NamedTuple):
    """What the functions decide and expire by."""

    policy: Policy
    retention: Retention


class DeployedCounting(NamedTuple):
    """What count_tags counts, and how it stores counters."""

    counted: Counted
    retention: Retention


def deployed_recorder(deployment: Deployment) -> Recorder:
    """Return a recorder with the tables, the policy and the retention of a deployment.

    Raises:
        Unavailable: if the settings cannot be read: a decision under other ones would differ from the functions'.
    """
    settings = deployed_settings(deployment)
    ledger = deployed_ledger(deployment, settings)
    return Recorder(
        ledger=ledger,
        suppressions=deployed_suppressions(deployment),
        policy=settings.policy,
        history=ledger.retention_history(datetime.now(UTC)),
        now=lambda: datetime.now(UTC),
        attempts=attempts,
        forgotten=_once_a_minute(deployed_tombstones(deployment).read),
    )


def _once_a_minute(read: Callable[[], Container[str]]) -> Callable[[], Container[str]]:
    """Read who was forgotten again while a command runs for hours: erasing waits for longer than a minute."""
    of_minute = lru_cache(maxsize=1)(lambda _minute: read())
    return lambda: of_minute(time.monotonic() // 60)


def deployed_tombstones(deployment: Deployment) -> Tombstones:
    """Return the tombstones of forgotten recipients of a deployment."""
    table = deployment.output("SuppressionsTableName")
    return Tombstones(deployment.client("dynamodb"), table, cache(lambda: deployed_hash_key(deployment)))


def deployed_hash_key(deployment: Deployment) -> str:
    """Return the key with which forgotten recipients are hashed."""
    secrets = deployment.client("secretsmanager")
    return secrets.get_secret_value(SecretId=deployment.output("RecipientHashKeySecretArn"))["SecretString"]


def deployed_suppressions(deployment: Deployment) -> SuppressionsTable:
    return SuppressionsTable(deployment.client("dynamodb"), deployment.output("SuppressionsTableName"))


def deployed_ledger(deployment: Deployment, settings: DeployedSettings | None = None) -> LedgerTable:
    settings = settings or deployed_settings(deployment)
    return LedgerTable(deployment.client("dynamodb"), deployment.output("LedgerTableName"), settings.retention)


def deployed_settings(deployment: Deployment) -> DeployedSettings:
    """Return the settings of the deployed function record_feedback.

    Raises:
        Unavailable: if this version of Aftersend cannot read them.
    """
    variables = _variables(deployment, FUNCTION_OUTPUT)
    return DeployedSettings(
        _decode(variables, Variable.POLICY, Policy), _decode(variables, Variable.RETENTION, Retention)
    )


def deployed_counting(deployment: Deployment) -> DeployedCounting:
    """Return the settings of the deployed function count_tags.

    Raises:
        Unavailable: if this version of Aftersend cannot read them.
    """
    variables = _variables(deployment, COUNTING_FUNCTION_OUTPUT)
    return DeployedCounting(
        _decode(variables, Variable.COUNTED, Counted), _decode(variables, Variable.RETENTION, Retention)
    )


def deployed_reputation(deployment: Deployment) -> Reputation:
    """Return the thresholds of the deployed function watch_rates.

    Raises:
        Unavailable: if this version of Aftersend cannot read them.
    """
    if RATES_FUNCTION_OUTPUT not in deployment.outputs:  # no configuration set, so no such function
        return Reputation()
    return _decode(_variables(deployment, RATES_FUNCTION_OUTPUT), Variable.REPUTATION, Reputation)


def _variables(deployment: Deployment, output: str) -> dict[str, str]:
    """Return the environment variables of the function that an output names."""
    function = deployment.output(output)
    configuration = deployment.client("lambda").get_function_configuration(FunctionName=function)
    return configuration.get("Environment", {}).get("Variables", {})


def _decode(variables: dict[str, str], name: Variable, value_type: type[Setting]) -> Setting:
    try:
        return msgspec.json.decode(variables[name], type=value_type)
    except (KeyError, ValueError) as error:  # msgspec's errors are ValueErrors
        problem = "it is missing" if isinstance(error, KeyError) else str(error)
        raise Unavailable(
            f"The setting {name} of the deployed functions cannot be read ({problem}): install the version of "
            "Aftersend that is deployed, or deploy this one."
        ) from error
