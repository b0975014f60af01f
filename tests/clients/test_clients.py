"""Send with other projects' clients through the local SES, and compare what arrived."""

import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.local_ses import TAGS, Clients, local_ses

PROJECT = Path(__file__).parent.parent.parent
PYTHON = PROJECT / ".venv-benchmark" / "bin" / "python"

CLIENTS = {
    "django-anymail": TAGS,
    "django-anymail in bulk": {"campaign": "spring"},
    "django-ses": TAGS,
    "django-ses over v2": TAGS,
    "smtplib": TAGS,
    "boto3": TAGS,
}
"""Every client of tests/clients/senders.py, and the tags it sends."""


@pytest.fixture(scope="module")
def running() -> Generator[Clients]:
    with local_ses() as clients:
        yield clients


@pytest.mark.parametrize("client", CLIENTS)
def test_message_of_a_client_arrives_with_its_tags(client: str, running: Clients):
    running.http("DELETE", "/messages")
    command = [PYTHON, PROJECT / "tests/clients/senders.py", client, running.ses.url, str(running.ports.starttls)]
    completed = subprocess.run(command, check=False, capture_output=True, text=True)
    assert completed.returncode == 0, completed.stderr
    [message] = running.messages()
    assert message["tags"] == {name: [value] for name, value in CLIENTS[client].items()}
    assert (message["configuration_set"], message["subject"]) == ("newsletter", "Books")
    assert message["links"][0].startswith(f"{running.ses.url}/track/")
    [sent, delivered] = running.records(message["id"])
    assert (sent["eventType"], delivered["eventType"]) == ("Send", "Delivery")


def test_metadata_of_anymail_arrives_in_its_header(running: Clients):
    running.http("DELETE", "/messages")
    command = [PYTHON, PROJECT / "tests/clients/senders.py", "django-anymail", running.ses.url, "0"]
    subprocess.run(command, check=True)
    assert dict(running.messages()[0]["headers"])["X-Metadata"] == '{"order": "1974"}'
