"""Find deployments by the outputs of their stacks; each error that prevents a query is one sentence."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import exceptions as errors
from moto.core import DEFAULT_ACCOUNT_ID
from typer.testing import CliRunner

from aftersend.aws.connection import find_deployment
from aftersend.aws.deployment import LocalRun, Unavailable, describe_error, find_local_run
from aftersend.cli.main import app
from local.endpoint import published_endpoint
from tests.adapters.conftest import SESSION

OUTPUTS = {"ArchiveBucketName": "archive", "ArchiveQueueUrl": "https://queue"}


def client_error(code: str, message: str = "no", operation: str = "DescribeStacks") -> errors.ClientError:
    return errors.ClientError({"Error": {"Code": code, "Message": message}}, operation)


class Session:
    """A session over moto, which has no CloudFormation here: stacks are given as name → outputs. It knows its account,
    which every command asks for."""

    def __init__(self, stacks: dict[str, dict[str, str]], region: str | None = "us-east-1") -> None:
        self._stacks, self.region_name = stacks, region

    def client(self, service: str, **_: Any) -> Any:
        return self if service in ("cloudformation", "sts") else SESSION.client(service)

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": DEFAULT_ACCOUNT_ID, "Arn": f"arn:aws:sts::{DEFAULT_ACCOUNT_ID}:user/moto"}

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 (boto3's name)
        if StackName not in self._stacks:
            raise client_error("ValidationError", f"Stack with id {StackName} does not exist")
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in self._stacks[StackName].items()]
        return {"Stacks": [{"Outputs": outputs} if outputs else {}]}


@pytest.fixture
def stacks(aws: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, str]]:
    """Return the stacks of an environment "shop" without a file."""
    stacks = {"Aftersend-shop-State": {"ArchiveBucketName": "archive"}, "Aftersend-shop-Pipeline": {"A": "1"}}
    monkeypatch.setattr(boto3, "Session", lambda *_, **__: Session(stacks))
    return stacks


def test_outputs_of_all_stacks_are_read(stacks: dict[str, dict[str, str]]):
    assert find_deployment("shop").outputs == {"ArchiveBucketName": "archive", "A": "1"}
    stacks["Aftersend-shop-Publishing"] = {"B": "2"}
    assert find_deployment("shop").output("B") == "2"


def test_missing_output_asks_for_a_deployment(stacks: dict[str, dict[str, str]]):
    with pytest.raises(Unavailable, match=r"no output Nothing: deploy them again \(`make deploy ENV=shop`\)"):
        find_deployment("shop").output("Nothing")


def test_missing_stack_is_named(stacks: dict[str, dict[str, str]]):
    with pytest.raises(Unavailable, match="There is no stack Aftersend-typo-State in account 123456789012, us-east-1"):
        find_deployment("typo")


def test_credentials_of_another_account_are_refused(stacks: dict[str, dict[str, str]]):
    with pytest.raises(Unavailable, match="belong to account 123456789012, but shop is deployed in 222222222222"):
        find_deployment("shop", account="222222222222")


def test_clients_are_made_once(stacks: dict[str, dict[str, str]]):
    result = find_deployment("shop")
    assert result.client("sqs") is result.client("sqs")


ERRORS: dict[str, Exception] = {
    "The AWS credentials have expired: sign in": client_error("ExpiredToken"),
    "AWS does not accept the credentials (InvalidClientTokenId)": client_error("InvalidClientTokenId"),
    "ReceiveMessage is denied to these credentials: no. Use a role": client_error(
        "AccessDenied", "no.", "ReceiveMessage"
    ),
    "GetObject: a resource of the stacks is missing (NoSuchBucket)": client_error("NoSuchBucket", "no", "GetObject"),
    "AWS refused DescribeStacks (Throttling): no": client_error("Throttling"),
    "No AWS credentials: ": errors.NoCredentialsError(),
    "AWS cannot be reached: Could not connect to the endpoint": errors.EndpointConnectionError(endpoint_url="http://x"),
    "AWS cannot be reached: Read timeout": errors.ReadTimeoutError(endpoint_url="http://x"),
    "The AWS credentials have expired: The SSO session": errors.UnauthorizedSSOTokenError(),
    "AWS cannot be queried: The config profile (x)": errors.ProfileNotFound(profile="x"),
}


@pytest.mark.parametrize("sentence", ERRORS)
def test_errors_of_aws_are_one_sentence_with_a_fix(sentence: str):
    described = describe_error(ERRORS[sentence])
    assert described.startswith(sentence)
    assert "\n" not in described


def run(name: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["failures", "list", "--env", name])
    assert result.stdout == ""
    return result.exit_code, result.stderr


@pytest.mark.parametrize("error", [errors.NoCredentialsError(), client_error("AccessDenied")])
def test_command_ends_with_a_sentence_where_aws_refuses(
    stacks: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch, error: Exception
):
    def refuse(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(Session, "describe_stacks", refuse)
    assert run("shop") == (2, describe_error(error) + "\n")


def test_command_ends_with_a_sentence_without_a_region(aws: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(boto3, "Session", lambda *_, **__: Session({}, region=None))
    assert run("shop") == (
        2,
        "No Region is known for shop: set AWS_REGION, or run this where environments/shop.toml is.\n",
    )


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of the local run."""
    monkeypatch.setenv("AFTERSEND_LOCAL_RUN", str(tmp_path / "below" / "run.json"))
    return tmp_path / "below" / "run.json"


RUN = LocalRun(os.getpid(), "http://127.0.0.1:1", "http://127.0.0.1:2", 2587)


def test_local_run_is_found_while_it_lasts(file: Path):
    with published_endpoint(RUN):
        assert find_local_run() == RUN
    assert find_local_run() is None
    assert list(file.parent.iterdir()) == []


def test_second_local_run_leaves_the_first_its_file_and_says_so(file: Path, capsys: pytest.CaptureFixture[str]):
    with published_endpoint(RUN):
        with published_endpoint(LocalRun(os.getpid(), "http://127.0.0.1:3", "http://127.0.0.1:4", 5)):
            pass
        current = find_local_run()
    assert current == RUN
    assert f"reach the local run of process {os.getpid()}" in capsys.readouterr().err


NO_PROCESS = 2**22 + 1
"""Above the largest process id of Linux."""


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"pid": NO_PROCESS, "endpoint": "http://127.0.0.1:1", "ses_endpoint": "", "smtp_port": 1}),
        "{}",
        "half of",
    ],
)
def test_file_of_a_run_that_ended_is_passed_over(file: Path, content: str):
    file.parent.mkdir()
    file.write_text(content)
    assert find_local_run() is None
    assert run("local") == (2, f"No local run is in progress (according to {file}): start one with `make demo`.\n")
    with published_endpoint(RUN):
        assert find_local_run() is not None


def test_services_of_a_local_run_have_two_endpoints(aws: None, monkeypatch: pytest.MonkeyPatch):
    created_clients: list[tuple[str, str | None]] = []

    class Recording(Session):
        def client(self, service: str, **options: Any) -> Any:
            created_clients.append((service, options["endpoint_url"]))
            return super().client(service)

    stacks: dict[str, dict[str, str]] = {"Aftersend-local-State": {}, "Aftersend-local-Pipeline": {}}
    make: Callable[..., Session] = lambda *_, **__: Recording(stacks)  # noqa: E731 (a stand-in)
    monkeypatch.setattr(boto3, "Session", make)
    result = find_deployment("local", local_run=LocalRun(1, "http://all", "http://ses", 25))
    result.client("sesv2")
    assert created_clients == [("sts", "http://all"), ("cloudformation", "http://all"), ("sesv2", "http://ses")]
