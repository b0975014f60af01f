"""Perform the operations of the SES API v2 that concern the account and its suppression list."""

import json
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from local.ses.account_list import ListedAddress
from local.ses.responses import RequestError, Response, json_error, json_response
from local.ses.simulator import LocalSes

ADDRESSES = "/v2/email/suppression/addresses"
Parameters = dict[str, Any]


def perform_account(ses: LocalSes, method: str, url: str, body: bytes) -> Response | None:
    """Return the response to an operation in _OPERATIONS, or None for every other request."""
    parts = urlsplit(url)
    for operation, (its_method, pattern, perform) in _OPERATIONS.items():
        if method == its_method and (match := re.fullmatch(pattern, parts.path)):
            parameters = json.loads(body or b"{}") | {"query": parse_qs(parts.query)}
            parameters |= {name: unquote(value) for name, value in match.groupdict().items()}
            try:
                ses.account_list.begin_call(operation, writes=operation in _REFUSED_IN_SANDBOX)
                return json_response(perform(ses, parameters))
            except RequestError as error:
                return json_error(error)
    return None


def _put(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    ses.account_list.put(parameters["EmailAddress"], parameters["Reason"])
    return {}


def _get(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    listed = ses.account_list.get(parameters["address"])
    cause = {"MessageId": listed.message_id, "FeedbackId": listed.feedback_id}
    attributes = {"Attributes": {name: value for name, value in cause.items() if value}}
    return {"SuppressedDestination": _summary(listed) | (attributes if attributes["Attributes"] else {})}


def _delete(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    ses.account_list.delete(parameters["address"])
    return {}


def _list(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    query = parameters["query"]
    dates = {name: query.get(f"{name.capitalize()}Date", [None])[0] for name in ("start", "end")}
    page, token = ses.account_list.page(
        reasons=query.get("Reason", ()),
        token=query.get("NextToken", [None])[0],
        size=int(query.get("PageSize", ["100"])[0]),
        **{name: datetime.fromisoformat(value) for name, value in dates.items() if value},
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
        "SendingEnabled": True,
        "SendQuota": {"Max24HourSend": 50_000.0, "MaxSendRate": 14.0, "SentLast24Hours": 0.0},
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
    if parameters["job"] not in ses.account_list.jobs:
        raise RequestError("NotFoundException", "The import job does not exist.")
    return ses.account_list.jobs[parameters["job"]]


_OPERATIONS: dict[str, tuple[str, str, Callable[[LocalSes, Parameters], dict[str, Any]]]] = {
    "PutSuppressedDestination": ("PUT", ADDRESSES, _put),
    "GetSuppressedDestination": ("GET", f"{ADDRESSES}/(?P<address>[^/]+)", _get),
    "DeleteSuppressedDestination": ("DELETE", f"{ADDRESSES}/(?P<address>[^/]+)", _delete),
    "ListSuppressedDestinations": ("GET", ADDRESSES, _list),
    "GetAccount": ("GET", "/v2/email/account", _get_account),
    "PutAccountSuppressionAttributes": ("PUT", "/v2/email/account/suppression", _put_account_suppression_attributes),
    "CreateImportJob": ("POST", "/v2/email/import-jobs", _create_import_job),
    "GetImportJob": ("GET", "/v2/email/import-jobs/(?P<job>[^/]+)", _get_import_job),
}
"""Operations performed here: method, path, and the function that returns the content of the response."""

_REFUSED_IN_SANDBOX = ("PutSuppressedDestination", "CreateImportJob")
