"""Pause a configuration set with the deployed guard, deploy again, and resume it."""

import json
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from aftersend.aws.deployment import LOCAL_RUN_VARIABLE
from aftersend.cli.main import app
from aftersend.config.loader import ENVIRONMENTS_FOLDER, load
from local.deployment import bootstrap, deploy, local_aws
from local.emulator import REGION, emulator_log
from local.endpoint import published_endpoint
from local.pipeline import LocalPipeline
from local.ses import SIMULATION_HEADER
from tests.integration.synthesis import synthesize
from tests.integration.test_pipeline import wait_for

SETTINGS = """
[reputation]
guard = "pause"
hour_sends = 10
hour_bounces = 5
"""
BOUNCE = {"event": "Bounce", "bounceType": "Permanent", "bounceSubType": "General"}
SENDER = "news@bookshop.example"


class Shop:
    """A deployment of environments/local.toml with low least numbers, which a test deploys again."""

    def __init__(self, folder: Path, emulator_url: str) -> None:
        self._folder, self._url = folder, emulator_url
        self._file = folder / "environments" / "local.toml"
        self._file.parent.mkdir()
        self._text = (ENVIRONMENTS_FOLDER / "local.toml").read_text() + SETTINGS

    def deploy(self, old: str = "", new: str = "") -> dict[str, str]:
        """Deploy, with a text of the file replaced by another."""
        assert old in self._text
        self._file.write_text(self._text.replace(old, new, 1))
        environment = load("local", self._file.parent)
        return deploy(self._url, self._folder, synthesize(environment, self._folder / "cdk.out"))


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[tuple[Shop, LocalPipeline]]:
    monkeypatch.setenv(LOCAL_RUN_VARIABLE, str(tmp_path / "run.json"))
    with local_aws(tmp_path) as (ses, run), published_endpoint(run):
        bootstrap(run.endpoint)
        shop = Shop(tmp_path, run.endpoint)
        yield shop, LocalPipeline(ses, run, shop.deploy(), emulator_log(tmp_path))


def watch(pipeline: LocalPipeline) -> dict[str, int]:
    """Invoke the scheduled function and return its counts."""
    counts = pipeline.watch_rates()
    assert counts.pop("rates_runs") == 1, counts
    return counts


def send(pipeline: LocalPipeline, *events: dict[str, Any]) -> None:
    header = {"Name": SIMULATION_HEADER, "Value": json.dumps({"events": [{"event": "Send"}, *events]})}
    content = {"Subject": {"Data": "Books"}, "Body": {"Text": {"Data": "Books"}}, "Headers": [header]}
    client(pipeline, "sesv2").send_email(
        FromEmailAddress=SENDER, Destination={"ToAddresses": ["reader@mail.example"]}, Content={"Simple": content}
    )


def send_v1(pipeline: LocalPipeline) -> None:
    message = {"Subject": {"Data": "Books"}, "Body": {"Text": {"Data": "Books"}}}
    destination = {"ToAddresses": ["reader@mail.example"]}
    client(pipeline, "ses").send_email(Source=SENDER, Destination=destination, Message=message)


def send_raw(pipeline: LocalPipeline) -> None:
    raw = f"From: {SENDER}\nTo: reader@mail.example\nX-SES-CONFIGURATION-SET: newsletter\n\nBooks".encode()
    client(pipeline, "ses").send_raw_email(RawMessage={"Data": raw})


def client(pipeline: LocalPipeline, service: str) -> Any:
    return boto3.Session("test", "test", region_name=REGION).client(service, endpoint_url=pipeline.run.ses_endpoint)


def refusal(action: Callable[[LocalPipeline], None], pipeline: LocalPipeline) -> str:
    """Return the code of the error with which SES refuses mail; empty if it accepts it."""
    try:
        action(pipeline)
    except client(pipeline, "ses").exceptions.ClientError as error:
        return error.response["Error"]["Code"]
    return ""


REFUSALS = {
    send: "SendingPausedException",
    send_v1: "ConfigurationSetSendingPausedException",
    send_raw: "ConfigurationSetSendingPausedException",
}


def test_set_with_a_storm_of_bounces_is_paused_until_an_operator_resumes_it(shop: tuple[Shop, LocalPipeline]):
    environment, pipeline = shop
    for number in range(12):
        send(pipeline, *([BOUNCE] if number % 2 else []))
    for _ in pipeline.wait_until_processed():
        pass
    counts = watch(pipeline)
    assert counts["guard_paused"] == 1, counts
    sesv2 = pipeline.ses.emulator_client("sesv2")

    def is_enabled(name: str = "newsletter") -> bool:
        return sesv2.get_configuration_set(ConfigurationSetName=name)["SendingOptions"]["SendingEnabled"]

    assert (is_enabled(), is_enabled("receipts")) == (False, True)
    for action, code in REFUSALS.items():
        wait_for(lambda action=action, code=code: refusal(action, pipeline) == code, f"{code} is the answer")

    environment.deploy(
        "[configuration_sets.newsletter] ", "[configuration_sets.newsletter]\nmax_delivery_seconds = 600 "
    )
    assert watch(pipeline)["guard_paused"] == 1
    assert not is_enabled()
    client(pipeline, "ses").update_configuration_set_sending_enabled(ConfigurationSetName="newsletter", Enabled=True)
    assert is_enabled()
    watch(pipeline)
    assert not is_enabled()

    words = ["resume", "newsletter", "--env", "local", "--reason", "a test", "--operator", "ops", "--yes"]
    result = CliRunner().invoke(app, words)
    assert (result.exit_code, "Resumed." in result.output) == (0, True), result.output
    assert is_enabled()
    wait_for(lambda: refusal(send_v1, pipeline) == "", "SES accepts mail again")
    assert "guard_paused" not in watch(pipeline)
    assert is_enabled()
