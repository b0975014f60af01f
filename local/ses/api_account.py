"""Perform the operations of the SES API v2 that concern the account and its suppression list."""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from local.ses.account_list import DEFAULT_PAGE_SIZE, ListedAddress
from local.ses.model import Parameters
from local.ses.responses import RequestError
from local.ses.simulator import SEND_QUOTA, LocalSes


def _put(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    ses.account_list.put(parameters["EmailAddress"], parameters["Reason"])
    return {}


def _get(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    listed = ses.account_list.get(parameters["EmailAddress"])
    cause = {"MessageId": listed.message_id, "FeedbackId": listed.feedback_id}
    attributes = {"Attributes": {name: value for name, value in cause.items() if value}}
    return {"SuppressedDestination": _summary(listed) | (attributes if attributes["Attributes"] else {})}


def _delete(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    ses.account_list.delete(parameters["EmailAddress"])
    return {}


def _list(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    page, token = ses.account_list.page(
        reasons=parameters.get("Reasons", ()),
        start=parameters.get("StartDate"),
        end=parameters.get("EndDate"),
        token=parameters.get("NextToken"),
        size=parameters.get("PageSize", DEFAULT_PAGE_SIZE),
    )
    summaries = {"SuppressedDestinationSummaries": [_summary(listed) for listed in page]}
    return summaries | ({"NextToken": token} if token else {})


def _summary(listed: ListedAddress) -> dict[str, Any]:
    return {
        "EmailAddress": listed.address,
        "Reason": listed.reason,
        "LastUpdateTime": listed.updated_at.timestamp(),
    }


def _get_account(ses: LocalSes, _parameters: Parameters) -> dict[str, Any]:
    account = ses.account_list
    return {
        "DedicatedIpAutoWarmupEnabled": False,
        "EnforcementStatus": "HEALTHY",
        "ProductionAccessEnabled": not account.in_sandbox,
        "SendingEnabled": ses.account_sending_enabled,
        "SendQuota": SEND_QUOTA,
        "SuppressionAttributes": {"SuppressedReasons": sorted(account.suppressed_reasons)},
    }


def _put_account_suppression_attributes(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    ses.account_list.suppressed_reasons = set(parameters.get("SuppressedReasons", ()))
    return {}


def _create_import_job(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    """Perform an import at once: SES takes minutes."""
    destination, source = parameters["ImportDestination"], parameters["ImportDataSource"]
    action = destination["SuppressionListDestination"]["SuppressionListImportAction"]
    job_id, now = str(uuid.uuid4()), datetime.now(UTC).timestamp()
    job = {"JobId": job_id, "ImportDestination": destination, "ImportDataSource": source, "CreatedTimestamp": now}
    try:
        processed, failed = ses.account_list.run_import(action, _rows(ses, source))
        job |= {"JobStatus": "COMPLETED", "ProcessedRecordsCount": processed, "FailedRecordsCount": failed}
    except RequestError as error:
        job |= {"JobStatus": "FAILED", "FailureInfo": {"ErrorMessage": error.message}}
    ses.account_list.jobs[job_id] = job | {"CompletedTimestamp": now}
    return {"JobId": job_id}


def _rows(ses: LocalSes, source: dict[str, str]) -> list[dict[str, str]]:
    bucket, _, key = source["S3Url"].removeprefix("s3://").partition("/")
    content = ses.emulator_client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    if source["DataFormat"] == "JSON":
        return [json.loads(line) for line in content.splitlines() if line.strip()]
    pairs = [line.partition(",") for line in content.splitlines() if line.strip()]
    return [{"emailAddress": address.strip(), "reason": reason.strip()} for address, _, reason in pairs]


def _get_import_job(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    if parameters["JobId"] not in ses.account_list.jobs:
        raise RequestError("NotFoundException", "The import job does not exist.")
    return ses.account_list.jobs[parameters["JobId"]]


def _put_account_sending_attributes(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    ses.account_sending_enabled = parameters.get("SendingEnabled", False)
    return {}


def _call(name: str, perform: Callable[[LocalSes, Parameters], dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return an operation that the account list may refuse."""

    def perform_call(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
        ses.account_list.begin_call(name, writes=name in _REFUSED_IN_SANDBOX)
        return perform(ses, parameters)

    return perform_call


_REFUSED_IN_SANDBOX = ("PutSuppressedDestination", "CreateImportJob")

_PERFORMED: dict[str, Callable[[LocalSes, Parameters], dict[str, Any]]] = {
    "PutSuppressedDestination": _put,
    "GetSuppressedDestination": _get,
    "DeleteSuppressedDestination": _delete,
    "ListSuppressedDestinations": _list,
    "GetAccount": _get_account,
    "PutAccountSuppressionAttributes": _put_account_suppression_attributes,
    "PutAccountSendingAttributes": _put_account_sending_attributes,
    "CreateImportJob": _create_import_job,
    "GetImportJob": _get_import_job,
}

OPERATIONS = {name: _call(name, perform) for name, perform in _PERFORMED.items()}
