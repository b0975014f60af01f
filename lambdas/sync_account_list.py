"""Compare the suppression list with the account suppression list of SES. Triggered every hour by a schedule."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec

from aftersend.aws.account_list import AccountList, AccountListFiles, Unavailable
from aftersend.aws.clients import client
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.contract import ACCOUNT_LIST_METRICS, Variable
from aftersend.recorder import Recorder
from lambdas import dependencies, recording
from lambdas.account_list_comparison import Comparison
from lambdas.dependencies import logger
from lambdas.scheduled import LambdaContext, has_time
from lambdas.settings import setting, text_setting


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
        account_list or AccountList(client("sesv2"), pace_seconds=setting(Variable.PACE_SECONDS, float)),
        files or AccountListFiles(client("s3"), text_setting(Variable.ARCHIVE_BUCKET)),
        suppressions or recording.suppressions(),
        (recorder or recording.recorder()).for_one_invocation(),
        now or datetime.now(UTC),
        partial(has_time, context),
    )
    try:
        comparison.run()
    except Unavailable as error:
        comparison.report.unavailable = 1
        logger.error("The account suppression list is not available.", extra={"reason": str(error)})
    counts = {f"account_list_{name}": count for name, count in msgspec.structs.asdict(comparison.report).items()}
    logger.info("Compared the suppression list with the account suppression list.", extra=counts)
    emit_metric(dependencies.environment_document(counts, ACCOUNT_LIST_METRICS))
    return counts
