"""Read and change the account suppression list of SES, at the pace that SES allows.

Source: SES API reference v2, and "Using the Amazon SES account-level suppression list" in the SES developer guide.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from aftersend.account_list import Addition, Listed, Progress
from aftersend.aws.clients import PACE_SECONDS, error_code
from aftersend.contract import ACCOUNT_LIST_PREFIX, IMPORTS_PREFIX

PAGE_SIZE = 1_000
"""Addresses in one response of ListSuppressedDestinations, at most."""

MAX_IMPORT_ADDITIONS, MAX_IMPORT_REMOVALS = 100_000, 10_000
"""Addresses in one object of an import job."""

PROGRESS_KEY = f"{ACCOUNT_LIST_PREFIX}progress.json"

RUNNING = ("CREATED", "PROCESSING")
"""Values of `JobStatus` of an import job that has not ended."""

DENIED = ("AccessDeniedException", "AccessDenied", "UnauthorizedOperation")


class Unavailable(Exception):
    """SES does not let this account or role use the account list; the message says why and what to do."""


class StaleToken(Exception):
    """SES no longer knows the token of a page: the list must be read from its beginning."""


class ImportStatus(msgspec.Struct, frozen=True):
    """How an import job is doing."""

    is_running: bool = False
    failed: int = 0
    """Addresses that SES did not import."""
    error: str = ""
    """Why the whole job failed."""


class AccountList:
    """Read and change the account list. Addresses are spelled exactly as the list has them."""

    def __init__(
        self, sesv2: Any, *, pace_seconds: float = PACE_SECONDS, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._sesv2 = sesv2
        self._pause = lambda: pause(pace_seconds)
        self._has_called = False

    def can_be_changed(self) -> bool:
        """Tell whether SES accepts changes: it refuses them in the sandbox."""
        return bool(self._call("get_account").get("ProductionAccessEnabled"))

    def pages(self, token: str | None = None) -> Iterator[tuple[list[Listed], str | None]]:
        """Yield the addresses page by page, each with the token of the next page, or None at the end.

        Raises:
            StaleToken: if SES does not know the token.
        """
        while True:
            try:
                page = self._call(
                    "list_suppressed_destinations", PageSize=PAGE_SIZE, **({"NextToken": token} if token else {})
                )
            except ClientError as error:
                if token and error_code(error) in ("InvalidNextTokenException", "BadRequestException"):
                    raise StaleToken from error
                raise
            token = page.get("NextToken")
            yield [_listed(summary) for summary in page.get("SuppressedDestinationSummaries", ())], token
            if not token:
                return

    def get(self, address: str) -> Listed | None:
        """Return an address in exactly this spelling; None if the list does not have it."""
        response = self._call_or_none("get_suppressed_destination", EmailAddress=address)
        return response and _listed(response["SuppressedDestination"])

    def put(self, added: Addition) -> None:
        """Add an address; one that is there already gets this reason."""
        self._call("put_suppressed_destination", EmailAddress=added.address, Reason=added.reason)

    def delete(self, address: str) -> None:
        """Remove an address, if the list has it."""
        self._call_or_none("delete_suppressed_destination", EmailAddress=address)

    def start_import(self, action: str, url: str) -> str:
        """Start an import job that puts or deletes (PUT, DELETE) the addresses of an object; return its ID."""
        response = self._call(
            "create_import_job",
            ImportDestination={"SuppressionListDestination": {"SuppressionListImportAction": action}},
            ImportDataSource={"S3Url": url, "DataFormat": "JSON"},
        )
        return response["JobId"]

    def import_status(self, job: str) -> ImportStatus:
        """Return how an import job is doing. One that SES does not know has ended."""
        if (response := self._call_or_none("get_import_job", JobId=job)) is None:
            return ImportStatus(error="SES does not know the import job.")
        error = response.get("FailureInfo", {}).get("ErrorMessage", "")
        return ImportStatus(response["JobStatus"] in RUNNING, response.get("FailedRecordsCount", 0), error)

    def _call_or_none(self, operation: str, **parameters: Any) -> Any:
        """Make a call; return None if SES does not find what it is about."""
        try:
            return self._call(operation, **parameters)
        except ClientError as error:
            if error_code(error) != "NotFoundException":
                raise
            return None

    def _call(self, operation: str, **parameters: Any) -> Any:
        """Make a call, after a pause unless it is the first.

        Raises:
            Unavailable: if the role has no permission for it.
        """
        if self._has_called:
            self._pause()
        self._has_called = True
        try:
            return getattr(self._sesv2, operation)(**parameters)
        except ClientError as error:
            if error_code(error) in DENIED:
                raise Unavailable(f"The role has no permission for {operation}: add it to the role.") from error
            raise


class AccountListFiles:
    """Store the progress of the comparison and the objects of import jobs in the archive bucket."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def progress(self) -> Progress:
        """Return the progress of the last run; that of a new comparison if there is none that can be read."""
        try:
            body = self._s3.get_object(Bucket=self._bucket, Key=PROGRESS_KEY)["Body"].read()
        except self._s3.exceptions.NoSuchKey:
            return Progress()
        try:
            return msgspec.json.decode(body, type=Progress)
        except msgspec.DecodeError:
            return Progress()

    def put_progress(self, progress: Progress) -> None:
        self._s3.put_object(Bucket=self._bucket, Key=PROGRESS_KEY, Body=msgspec.json.encode(progress))

    def put_import(self, name: str, rows: Iterable[tuple[str, str]]) -> str:
        """Store addresses with their reasons for an import job; return the URL of the object."""
        key = f"{IMPORTS_PREFIX}{name}.json"
        lines = [msgspec.json.encode({"emailAddress": address, "reason": reason}) for address, reason in rows]
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=b"\n".join(lines))
        return f"s3://{self._bucket}/{key}"


def _listed(summary: dict[str, Any]) -> Listed:
    return Listed(summary["EmailAddress"], summary["Reason"], summary["LastUpdateTime"])
