"""Send over every interface through the local SES into the deployed pipeline, whose counters then have the tags."""

import os
import subprocess
import time
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aftersend.cli.main import app
from aftersend.cli.send import WAYS as WAYS_OF_COMMAND
from local.emulator import PROJECT, free_port
from local.mailer import send_command
from local.pipeline import LocalPipeline
from local.ses.smtp import SmtpPorts, running_smtp
from tests.local_ses import INTERFACES, READER, SENDER, SENDS, TAGS, WAYS, Clients, create_templates

DEADLINE_SECONDS = 60


@pytest.fixture(scope="module")
def clients(pipeline: LocalPipeline) -> Generator[Clients]:
    with running_smtp(pipeline.ses, SmtpPorts(free_port(), free_port())) as ports:
        clients = Clients(pipeline.ses, ports)
        create_templates(clients)
        yield clients


def sent(pipeline: LocalPipeline) -> Counter[tuple[str, str]]:
    """Return how many messages were sent with each value of each counted message tag."""
    counts: Counter[tuple[str, str]] = Counter()
    for key, count in pipeline.result().counts.items():
        if key.measure == "send" and key.tag in ("campaign", "genre", "ses:configuration-set"):
            counts[key.tag, key.value] += count
    return counts


@pytest.mark.parametrize(("interface", "way"), SENDS)
def test_message_that_is_sent_alone_is_counted_under_exactly_its_tags(
    interface: str, way: str, clients: Clients, pipeline: LocalPipeline
):
    before = sent(pipeline)
    INTERFACES[interface](clients, WAYS[way][0])
    expected = Counter([*TAGS.items(), ("ses:configuration-set", "newsletter")])
    assert wait_until_sent(pipeline, before, expected) == expected


@pytest.mark.parametrize("via", WAYS_OF_COMMAND)
def test_message_of_the_command_is_counted_under_its_tags(via: str, pipeline: LocalPipeline):
    before, tags = sent(pipeline), [word for pair in TAGS.items() for word in ("--tag", "=".join(pair))]
    addresses = ["--from", SENDER, "--to", READER]
    result = CliRunner().invoke(app, ["send", "--env", "local", "--via", via, "--subject", "Books", *addresses, *tags])
    assert result.exit_code == 0, result.output
    expected = Counter([*TAGS.items(), ("ses:configuration-set", "newsletter")])
    assert wait_until_sent(pipeline, before, expected) == expected


def test_command_that_the_demo_prints_sends_a_message_with_message_tags(pipeline: LocalPipeline, tmp_path: Path):
    before, environment = sent(pipeline), os.environ | {"PYTHONPATH": str(PROJECT)}
    subprocess.run(["/bin/sh", "-c", send_command()], check=True, capture_output=True, cwd=tmp_path, env=environment)
    tags = {"campaign": "my-first", "genre": "poetry", "ses:configuration-set": "newsletter"}
    assert wait_until_sent(pipeline, before, Counter(tags.items())) == Counter(tags.items())


def wait_until_sent(
    pipeline: LocalPipeline, before: Counter[tuple[str, str]], expected: Counter[tuple[str, str]]
) -> Counter[tuple[str, str]]:
    """Return what was sent since `before`, as soon as it is what is expected."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while (counted := sent(pipeline) - before) != expected and time.monotonic() < deadline:
        time.sleep(0.1)
    return counted
