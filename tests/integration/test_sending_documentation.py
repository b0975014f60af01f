"""Run every example of docs/sending.md: its message must arrive with exactly its configuration set and tags."""

import re
import ssl
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from aftersend.sending import OPERATIONS, Interface
from local.ses.mailbox import DeliveredMessage
from local.ses.tracking import Link
from tests.local_ses import Clients, local_ses

PROJECT = Path(__file__).parent.parent.parent
PAGE = (PROJECT / "docs" / "sending.md").read_text()
README = (PROJECT / "README.md").read_text()
TAGS = {"campaign": ["spring-catalogue"], "genre": ["sci-fi"]}

CODE = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)
PREFACE = CODE.findall(PAGE.partition("\n## ")[0])[0]
SECTIONS = {part.partition("\n")[0]: CODE.findall(part) for part in PAGE.split("\n### ")[1:]}
EXAMPLES = {heading: codes[0] for heading, codes in SECTIONS.items()}

SMTP_SERVER = '"email-smtp.eu-west-1.amazonaws.com", 587'


@pytest.fixture(scope="module")
def running() -> Generator[Clients]:
    """Run the local SES, with the variables of the examples in the template that they name."""
    with local_ses() as clients:
        content = {"Subject": "{{season}}", "Text": "New books"}
        clients.v2.update_email_template(TemplateName="catalogue", TemplateContent=content)
        yield clients


@pytest.fixture
def clients(running: Clients, monkeypatch: pytest.MonkeyPatch) -> Clients:
    """Have the examples reach the local SES, as the SDK's own settings and one accepted certificate do."""
    running.ses.mailbox.clear()
    for name in ("SES", "SESV2"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{name}", running.ses.url)
    for name in ("SMTP_USERNAME", "SMTP_PASSWORD"):
        monkeypatch.setenv(name, "any")
    monkeypatch.setattr(ssl, "create_default_context", ssl._create_unverified_context)
    return running


def run(clients: Clients, example: str) -> DeliveredMessage:
    """Run an example, and return the one message that arrived."""
    assert SMTP_SERVER in example or "smtplib" not in example
    example = example.replace(SMTP_SERVER, f'"127.0.0.1", {clients.ports.starttls}')
    exec(f"{PREFACE}\n{example}", {})  # noqa: S102 (our own page)
    [delivered] = clients.ses.mailbox.messages()
    return delivered


def test_every_interface_has_an_example():
    used = set(re.findall(r'sending\.parameters\(\s*"([\w-]+)"', "".join(EXAMPLES.values())))
    assert used == set(Interface)
    assert "sending.headers(" in EXAMPLES["Headers"]
    assert len(EXAMPLES) == PAGE.count("```python") - 1


@pytest.mark.parametrize("name", EXAMPLES)
def test_message_of_an_example_arrives_with_its_configuration_set_and_tags(clients: Clients, name: str):
    message = run(clients, EXAMPLES[name]).message
    tags = {} if name in ("Custom verification", "SendCustomVerificationEmail") else TAGS
    assert (message.configuration_set, message.tags) == ("newsletter", tags)
    assert (message.source, message.destination) == ("news@bookshop.example", ["reader@mail.example"])


def test_own_headers_are_in_the_message(clients: Clients):
    headers = dict(run(clients, EXAMPLES["Headers of your own"]).content.items())
    assert headers.items() >= {"X-Campaign": "spring-catalogue", "genre": "sci-fi"}.items()


def test_link_has_its_tags(clients: Clients):
    assert run(clients, EXAMPLES["Tags of a link"]).links == [Link("https://bookshop.example", {"position": ["top"]})]


def test_message_to_a_contact_list_has_a_link_to_unsubscribe(clients: Clients):
    delivered = run(clients, EXAMPLES["Contact list"])
    assert delivered.list_management == {"ContactListName": "readers", "TopicName": "sci-fi"}
    assert f"Unsubscribe: {delivered.content['List-Unsubscribe'].strip('<>')}" in delivered.describe()["text"]


def test_table_has_the_parameters_of_every_operation():
    rows = {row.split("|")[1]: row for row in PAGE.splitlines() if row.startswith("| v")}
    for operation in OPERATIONS.values():
        version = "v2" if operation.service == "sesv2" else "v1"
        [row] = [row for cell, row in rows.items() if operation.name in re.split(r"\W+", cell) and version in cell]
        assert ("ListManagementOptions" in row) is operation.takes_list
        assert f"`{operation.tags}`" in row or operation.tags is None
        assert operation.entries is None or f"`{operation.entries}`" in row


def test_examples_of_the_readme_give_a_message_configuration_set_and_tags(clients: Clients):
    parameters, headers = CODE.findall(README)
    names: dict[str, Any] = {}
    exec(f"{parameters}\n{headers}", names)  # noqa: S102 (our own page)
    [delivered] = clients.ses.mailbox.messages()
    assert (delivered.message.configuration_set, delivered.message.tags) == ("newsletter", TAGS)
    assert names["mime"]["X-SES-CONFIGURATION-SET"] == "newsletter"
    assert names["mime"]["X-SES-MESSAGE-TAGS"] == "campaign=spring-catalogue, genre=sci-fi"
