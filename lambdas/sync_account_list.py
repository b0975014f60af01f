"""Compare the suppression list with the account suppression list of SES. Triggered every hour by a schedule."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from aftersend.aws.account_list import AccountList, AccountListFiles, Unavailable
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.contract import ENVIRONMENT_DIMENSION, Variable
from aftersend.metrics import emf_document
from aftersend.recorder import Recorder
from lambdas import dependencies
from lambdas.account_list_comparison import Comparison
from lambdas.dependencies import logger
from lambdas.settings import text_setting


class LambdaContext(Protocol):
    """The part of Lambda's context object that is used."""

    def get_remaining_time_in_millis(self) -> int: ...


def handler(
    _event: object = None,
    context: LambdaContext | None = None,
    *,
    account_list: AccountList | None = None,
    files: AccountListFiles | None = None,
    suppressions: SuppressionsTable | None = None,
    recorder: Recorder | None = None,
    emit_metric: Callable[[dict[str, Any]], None] = dependencies.emit_metric,
    now: datetime | None = None,
) -> dict[str, int]:
    """Compare both lists, apply the difference and emit the counts as metrics."""
    comparison = Comparison(
        account_list or dependencies.account_list(),
        files or dependencies.account_list_files(),
        suppressions or dependencies.suppressions(),
        (recorder or dependencies.recorder()).for_one_invocation(),
        now or datetime.now(UTC),
        lambda reserved: context is None or context.get_remaining_time_in_millis() > reserved,
    )
    try:
        comparison.run()
    except Unavailable as error:
        comparison.report.unavailable = 1
        logger.error("The account suppression list is not available.", extra={"reason": str(error)})
    counts = {f"account_list_{name}": count for name, count in msgspec.structs.asdict(comparison.report).items()}
    logger.info("Compared the suppression list with the account suppression list.", extra=counts)
    emit_metric(emf_document(counts, {ENVIRONMENT_DIMENSION: text_setting(Variable.ENVIRONMENT)}, datetime.now(UTC)))
    return counts
