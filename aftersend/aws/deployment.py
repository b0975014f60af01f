"""Query a deployed environment: the outputs of its stacks, and clients for its services."""

import os
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from botocore import exceptions as errors
from botocore.config import Config

from aftersend.aws.clients import error_code

STACKS = {"State": True, "Pipeline": True, "Publishing": False, "Dashboard": False}
"""The stacks whose outputs are read, and whether a deployment must have them."""

LOCAL_RUN = Path(__file__).parent.parent.parent / ".build" / "local-run.json"
LOCAL_RUN_VARIABLE = "AFTERSEND_LOCAL_RUN"
"""The environment variable that names another file than LOCAL_RUN, for runs side by side."""

AWS_ERRORS = (errors.BotoCoreError, errors.ClientError)

CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=5, read_timeout=30)


class Unavailable(Exception):
    """The deployment cannot be queried; the message names the reason and the fix."""


class LocalRun(msgspec.Struct, frozen=True):
    """The process of a local run, and the endpoints of its services."""

    pid: int
    endpoint: str
    ses_endpoint: str
    smtp_port: int
    """The port of loopback on which SMTP begins without TLS."""


class Deployment:
    """The stacks of an environment, as they are deployed."""

    def __init__(self, name: str, session: Any, local_run: LocalRun | None = None) -> None:
        """`session` is boto3's; a function has one that makes the same clients of botocore alone."""
        self.name = name
        self._session, self.local_run = session, local_run
        self.client = cache(self._client)
        self.outputs: dict[str, str] = {}

    def _client(self, service: str) -> Any:
        run = self.local_run
        endpoint = run and (run.ses_endpoint if service in ("ses", "sesv2") else run.endpoint)
        return self._session.client(service, endpoint_url=endpoint, config=CONFIG)

    @property
    def region(self) -> str:
        return self._session.region_name

    def output(self, name: str) -> str:
        """Return an output of the stacks.

        Raises:
            Unavailable: if the stacks have no such output.
        """
        if name not in self.outputs:
            raise Unavailable(
                f"The stacks of {self.name} have no output {name}: deploy them again (`make deploy ENV={self.name}`)."
            )
        return self.outputs[name]

    def read_outputs(self, account: str | None) -> None:
        """Check the account, then read the outputs of all stacks.

        Raises:
            Unavailable: if the credentials are of another account, or a stack is missing.
        """
        caller = self.client("sts").get_caller_identity()
        if account and caller["Account"] != account:
            raise Unavailable(
                f"The credentials ({caller['Arn']}) belong to account {caller['Account']}, but {self.name} is deployed "
                f"in {account}: choose others, for example with AWS_PROFILE."
            )
        for stack, is_required in STACKS.items():
            name = f"Aftersend-{self.name}-{stack}"
            try:
                [described] = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
            except errors.ClientError as error:
                if "does not exist" not in str(error):
                    raise
                if is_required:
                    raise Unavailable(
                        f"There is no stack {name} in account {caller['Account']}, {self._session.region_name}: "
                        f"check name and Region, or deploy it with `make deploy ENV={self.name}`."
                    ) from None
                continue
            self.outputs |= {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", ())}


def local_run_file() -> Path:
    """Return the file to which a local run writes its endpoints."""
    return Path(os.environ.get(LOCAL_RUN_VARIABLE) or LOCAL_RUN)


def find_local_run() -> LocalRun | None:
    """Return the local run in progress; None if there is none, or if the file is left over from one that ended."""
    try:
        run = msgspec.json.decode(local_run_file().read_bytes(), type=LocalRun)
        os.kill(run.pid, 0)
    except PermissionError:
        return run  # the process exists, and belongs to another user
    except (OSError, ValueError, OverflowError):  # msgspec's errors are ValueErrors
        return None
    return run


def describe_error(error: Exception) -> str:
    """Describe an error of AWS or of the connection to it in one sentence, with the fix."""
    if isinstance(error, errors.ClientError):
        return _describe_refusal(error)
    if isinstance(error, errors.ConnectionError | errors.HTTPClientError):
        return f"AWS cannot be reached: {error} Check the network, AWS_ENDPOINT_URL and the Region."
    if isinstance(error, errors.NoCredentialsError | errors.PartialCredentialsError):
        return f"No AWS credentials: {error}. Sign in (`aws sso login`) and set AWS_PROFILE, or set AWS_ACCESS_KEY_ID."
    if isinstance(error, errors.SSOError | errors.TokenRetrievalError):
        return f"The AWS credentials have expired: {error} Sign in again with `aws sso login`."
    return f"AWS cannot be queried: {error}"


EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
INVALID = {"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "SignatureDoesNotMatch"}
DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}
GONE = {"ResourceNotFoundException", "NoSuchBucket", "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"}


def _describe_refusal(error: errors.ClientError) -> str:
    code, message = error_code(error), error.response.get("Error", {}).get("Message", "")
    if code in EXPIRED:
        return "The AWS credentials have expired: sign in again, for example with `aws sso login`."
    if code in INVALID:
        return f"AWS does not accept the credentials ({code}): check AWS_PROFILE or AWS_ACCESS_KEY_ID."
    if code in DENIED:
        return (
            f"{error.operation_name} is denied to these credentials: {message.rstrip('.')}. Use a role with the "
            "permissions that docs/operations.md lists."
        )
    if code in GONE:
        return f"{error.operation_name}: a resource of the stacks is missing ({code}). Deploy the environment again."
    return f"AWS refused {error.operation_name} ({code}): {message}"


def affects_all(error: BaseException) -> bool:
    """Tell whether every further call would meet this error, too: no connection, no permission, no table."""
    is_refusal = isinstance(error, errors.ClientError) and error_code(error) in EXPIRED | INVALID | DENIED | GONE
    return is_refusal or isinstance(error, errors.BotoCoreError)
