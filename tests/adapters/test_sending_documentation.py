"""Run every example of docs/sending.md: each must name the configuration set and the tags of its message."""

import re
import smtplib
from collections.abc import Generator
from pathlib import Path
from typing import Any

import boto3
import pytest

from aftersend.sending import OPERATIONS, Interface
from local.ses.responses import Response, json_response, xml_response
from tests.adapters.local_ses import KeepingSes, session_with

PROJECT = Path(__file__).parent.parent.parent
PAGE = (PROJECT / "docs" / "sending.md").read_text()
README = (PROJECT / "README.md").read_text()
TAGS = {"campaign": ["spring-catalogue"], "genre": ["sci-fi"]}

CODE = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)
PREFACE = CODE.findall(PAGE.partition("\n## ")[0])[0]
SECTIONS = {part.partition("\n")[0]: CODE.findall(part) for part in PAGE.split("\n### ")[1:]}
EXAMPLES = {heading: codes[0] for heading, codes in SECTIONS.items()}

PENDING = (
    "Template",
    "Bulk",
    "Custom verification",
    "SendTemplatedEmail",
    "SendBulkTemplatedEmail",
    "SendCustomVerificationEmail",
)
"""Examples that the local SES cannot run yet: it knows no templates. They are checked against the models of botocore,
and their requests must name the configuration set and the tags."""


@pytest.fixture(scope="module")
def ses() -> Generator[KeepingSes]:
    ses = KeepingSes()
    yield ses
    ses.close()


@pytest.fixture
def requests(ses: KeepingSes, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have the examples send through the local SES, and return the bodies of their requests."""
    ses.messages.clear()
    ses.requests.clear()
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session_with(ses.answer))
    return ses.requests


def answer_pending(ses: KeepingSes, request: Any) -> Response:
    """Answer anything. boto3 has checked the parameters against the model before it sends."""
    body = request.body.encode() if isinstance(request.body, str) else request.body
    ses.requests.append(body.decode())
    operation = re.match(rb"Action=(\w+)", body)
    return xml_response(operation[1].decode(), "") if operation else json_response({})


def run(example: str) -> None:
    exec(f"{PREFACE}\n{example}", {})  # noqa: S102 (our own page)


def test_every_interface_has_an_example():
    used = set(re.findall(r'sending\.parameters\(\s*"([\w-]+)"', "".join(EXAMPLES.values())))
    assert used == set(Interface)
    assert set(PENDING) < EXAMPLES.keys()
    assert len(EXAMPLES) == PAGE.count("```python") - 1


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name not in PENDING and name != "Headers"])
def test_example_sends_a_message_with_configuration_set_and_tags(ses: KeepingSes, requests: list[str], name: str):
    run(EXAMPLES[name])
    [message] = ses.messages
    assert (message.configuration_set, message.tags) == ("newsletter", TAGS)
    assert (message.source, message.destination) == ("news@bookshop.example", ["reader@mail.example"])
    assert len(requests) == 1


def test_example_of_smtp_sends_a_message_with_configuration_set_and_tags(
    ses: KeepingSes, requests: list[str], monkeypatch: pytest.MonkeyPatch
):
    logins: list[Any] = []

    class Smtp(smtplib.SMTP):
        """Send as SMTP does, and pass the bytes to the raw operation, whose headers are read in the same way."""

        def sendmail(self, from_addr: str, to_addrs: Any, msg: Any, *_: Any, **__: Any) -> Any:
            boto3.client("ses").send_raw_email(Source=from_addr, Destinations=to_addrs, RawMessage={"Data": msg})

    for name in (
        "__init__",
        "__exit__",
        "starttls",
        "ehlo_or_helo_if_needed",
    ):  # __init__ would look up this machine's name
        monkeypatch.setattr(Smtp, name, lambda *_: None)
    monkeypatch.setattr(Smtp, "login", lambda _, *credentials: logins.append(credentials))
    monkeypatch.setattr(smtplib, "SMTP", Smtp)
    monkeypatch.setenv("SMTP_USERNAME", "someone")
    monkeypatch.setenv("SMTP_PASSWORD", "secret")
    run(EXAMPLES["Headers"])
    assert logins == [("someone", "secret")]
    [message] = ses.messages
    assert (message.configuration_set, message.tags) == ("newsletter", TAGS)
    assert len(requests) == 1


@pytest.mark.parametrize("name", PENDING)
def test_pending_example_has_valid_parameters(
    ses: KeepingSes, requests: list[str], name: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session_with(lambda request: answer_pending(ses, request)))
    run(EXAMPLES[name])
    [request] = requests
    assert "newsletter" in request
    assert ("sci-fi" in request) is ("erification" not in name)


def test_own_headers_are_in_the_message_and_link_tags_in_its_link(ses: KeepingSes, requests: list[str]):
    run(EXAMPLES["Headers of your own"])
    assert {each["name"]: each["value"] for each in ses.messages[0].headers} == {
        "X-Campaign": "spring-catalogue",
        "genre": "sci-fi",
    }
    run(EXAMPLES["Tags of a link"])
    assert r"<a ses:tags=\"position:top\" href=" in requests[1]
    run(EXAMPLES["Contact list"])
    assert '"ListManagementOptions": {"ContactListName": "readers", "TopicName": "sci-fi"}' in requests[2]


def test_table_has_the_parameters_of_every_operation():
    rows = {row.split("|")[1]: row for row in PAGE.splitlines() if row.startswith("| v")}
    for operation in OPERATIONS.values():
        version = "v2" if operation.service == "sesv2" else "v1"
        [row] = [row for cell, row in rows.items() if operation.name in re.split(r"\W+", cell) and version in cell]
        assert ("ListManagementOptions" in row) is operation.takes_list
        assert f"`{operation.tags}`" in row or operation.tags is None
        assert operation.entries is None or f"`{operation.entries}`" in row


def test_examples_of_the_readme_give_a_message_configuration_set_and_tags(ses: KeepingSes, requests: list[str]):
    parameters, headers = CODE.findall(README)
    names: dict[str, Any] = {}
    exec(f"{parameters}\n{headers}", names)  # noqa: S102 (our own page)
    assert [(each.configuration_set, each.tags) for each in ses.messages] == [("newsletter", TAGS)]
    assert names["mime"]["X-SES-CONFIGURATION-SET"] == "newsletter"
    assert names["mime"]["X-SES-MESSAGE-TAGS"] == "campaign=spring-catalogue, genre=sci-fi"
    assert len(requests) == 1
