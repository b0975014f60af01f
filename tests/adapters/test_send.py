"""Run `aftersend send` with a suppression list in moto and the local SES."""

import json
import smtplib
from collections.abc import Generator
from email import message_from_string
from typing import Any

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from aftersend.aws import message_sender
from aftersend.aws.deployment import LocalRun
from aftersend.cli import deployment as cli_deployment
from aftersend.cli.main import app
from aftersend.config import Dimension, EventDestination, load
from aftersend.events import Kind
from aftersend.sending import COMPOSED
from aftersend.suppression import Policy
from local.ses import LocalSes, Message
from tests.adapters.account_list import client_without_socket
from tests.adapters.suppression_shop import ShopSession, SuppressionShop, shop
from tests.event_factory import READER, a_bounce

__all__ = ["shop"]

LOCAL = load("local")
OTHER = "other@mail.example"
SENDER = "news@bookshop.example"
WAYS = [*COMPOSED, "smtp"]


class SmtpServer:
    """Stand in for smtplib.SMTP: keep what it is told, and refuse what a test says."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.messages: list[tuple[str, list[str], str]] = []
        self.has_tls, self.refuses = True, {}

    def connect(self, host: str, port: int, timeout: float) -> "SmtpServer":
        self.calls.append(f"connect {host}:{port}")
        assert timeout > 0
        return self

    def __enter__(self) -> "SmtpServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.calls.append("quit")

    def ehlo(self) -> None:
        self.calls.append("ehlo")

    def has_extn(self, name: str) -> bool:
        return name == "starttls" and self.has_tls

    def starttls(self, context: Any) -> None:
        self.calls.append(f"starttls {'verified' if context.check_hostname else 'any certificate'}")

    def login(self, username: str, password: str) -> None:
        if password == "wrong":
            raise smtplib.SMTPAuthenticationError(535, b"Authentication Credentials Invalid")
        self.calls.append(f"login {username}")

    def send_message(self, mime: Any, sender: str, recipients: list[str]) -> dict[str, Any]:
        self.messages.append((sender, recipients, mime.as_string()))
        return self.refuses

    answer = b"Ok 0100-message"


@pytest.fixture(scope="module")
def local_ses() -> Generator[tuple[LocalSes, dict[str, Any]]]:
    """Return the local SES and its clients, made before sessions are replaced. moto leaves other endpoints alone."""
    ses = LocalSes(None)
    clients = {service: client_without_socket(ses, service) for service in ("ses", "sesv2")}
    clients["sesv2"].create_email_identity(EmailIdentity="bookshop.example")
    for name in LOCAL.configuration_sets:
        clients["sesv2"].create_configuration_set(ConfigurationSetName=name)
    yield ses, clients
    ses.close()


@pytest.fixture
def ses(local_ses: tuple[LocalSes, dict[str, Any]], shop: SuppressionShop, monkeypatch: pytest.MonkeyPatch) -> LocalSes:
    """Put the shop's tables under the environment `local`, with a local SES."""
    ses, clients = local_ses
    ses.mailbox.clear()
    create, run = ShopSession.client, LocalRun(1, "http://aws.test", "http://ses.test", 2587)
    monkeypatch.setattr(ShopSession, "client", lambda self, name, **_: clients.get(name) or create(self, name))
    monkeypatch.setattr(cli_deployment, "find_local_run", lambda: run)
    monkeypatch.setattr(cli_deployment, "load", lambda _: replace(LOCAL, account=DEFAULT_ACCOUNT_ID))
    shop.stacks |= {name.replace("shop", "local"): outputs for name, outputs in shop.stacks.items()}
    return ses


def messages(ses: LocalSes) -> list[Message]:
    return [each.message for each in ses.mailbox.messages()]


@pytest.fixture
def smtp(monkeypatch: pytest.MonkeyPatch) -> SmtpServer:
    server = SmtpServer()
    monkeypatch.setattr(message_sender, "_Connection", server.connect)
    monkeypatch.setenv("AFTERSEND_SMTP_HOST", "localhost:2525")
    monkeypatch.setenv("AFTERSEND_SMTP_USERNAME", "someone")
    monkeypatch.setenv("AFTERSEND_SMTP_PASSWORD", "secret")
    return server


def send(*words: str, to: tuple[str, ...] = (OTHER,), exits: int = 0, given: str = "Books", **options: str) -> Result:
    values = {"env": "local", "from": SENDER, "subject": "Spring"} | options
    recipients = [word for each in to for word in ("--to", each)]
    pairs = [word for name, value in values.items() for word in (f"--{name.replace('_', '-')}", value)]
    result = CliRunner().invoke(app, ["send", *recipients, *pairs, *words], input=given)
    assert result.exit_code == exits, f"{result.output}{result.exception!r}"
    return result


TAGS = ("--tag", "campaign=spring", "--tag", "genre=sci-fi")


@pytest.mark.parametrize("via", COMPOSED)
def test_message_has_its_tags_and_the_configuration_set_of_the_identity(ses: LocalSes, via: str):
    result = send(*TAGS, via=via)
    [message] = messages(ses)
    assert result.stdout.strip() == message.id
    assert message.tags == {"campaign": ["spring"], "genre": ["sci-fi"]}
    assert (message.configuration_set, message.source, message.destination) == ("newsletter", SENDER, [OTHER])
    assert (message.subject, result.stderr) == ("Spring", "")


def test_message_over_smtp_has_them_in_headers(ses: LocalSes, smtp: SmtpServer):
    result = send(*TAGS, via="smtp", to=(f"Other <{OTHER}>",))
    [(sender, recipients, text)] = smtp.messages
    assert result.stdout == "0100-message\n"
    assert (sender, recipients) == (SENDER, [OTHER])
    assert message_from_string(text)["X-SES-MESSAGE-TAGS"] == "campaign=spring, genre=sci-fi"
    assert message_from_string(text)["X-SES-CONFIGURATION-SET"] == "newsletter"
    assert messages(ses) == []


def test_local_run_has_its_own_smtp_server_whatever_the_variables_name(ses: LocalSes, smtp: SmtpServer):
    send(via="smtp")
    assert smtp.calls == ["connect 127.0.0.1:2587", "ehlo", "starttls any certificate", "login any", "quit"]


@pytest.mark.parametrize(
    ("host", "has_tls", "encryption"),
    [
        ("localhost:2525", False, []),
        ("localhost:2525", True, ["starttls any certificate"]),
        ("smtp.mail.example", True, ["starttls verified"]),
        ("smtp.mail.example", False, ["starttls verified"]),  # smtplib raises an error here
    ],
)
def test_password_leaves_the_machine_only_encrypted(
    ses: LocalSes,
    smtp: SmtpServer,
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    has_tls: bool,
    encryption: list[str],
):
    monkeypatch.setenv("AFTERSEND_SMTP_HOST", host)
    smtp.has_tls = has_tls
    send(via="smtp", env="shop")
    where = host if ":" in host else f"{host}:587"
    assert smtp.calls == [f"connect {where}", "ehlo", *encryption, "login someone", "quit"]


def test_server_is_that_of_ses_in_the_region_unless_there_is_another(
    ses: LocalSes, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("AFTERSEND_SMTP_HOST")
    send(via="smtp", env="shop")
    assert smtp.calls[0] == "connect email-smtp.us-east-1.amazonaws.com:587"


@pytest.mark.parametrize("name", ["USERNAME", "PASSWORD"])
def test_missing_smtp_variable_is_named(ses: LocalSes, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.delenv(f"AFTERSEND_SMTP_{name}")
    result = send(via="smtp", env="shop", exits=2)
    assert f"set AFTERSEND_SMTP_{name}. SMTP credentials are created in the SES console" in result.stderr


def test_refused_credentials_and_ports_that_are_none_are_explained(
    ses: LocalSes, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AFTERSEND_SMTP_PASSWORD", "wrong")
    assert "refuses the credentials (535)" in send(via="smtp", env="shop", exits=2).stderr
    monkeypatch.setenv("AFTERSEND_SMTP_HOST", "localhost:smtp")
    assert "write HOST or HOST:PORT" in send(via="smtp", env="shop", exits=2).stderr


def test_refused_recipient_is_named(ses: LocalSes, smtp: SmtpServer):
    smtp.refuses = {OTHER: (554, b"no")}
    assert OTHER in send(via="smtp", exits=2).stderr


@pytest.mark.parametrize("via", WAYS)
def test_suppressed_recipient_is_left_out_with_the_reason(
    ses: LocalSes, smtp: SmtpServer, shop: SuppressionShop, via: str
):
    shop.record(a_bounce())
    result = send(via=via, to=(READER.upper(), OTHER, "no address"), exits=1)
    assert f"Left out: {READER.upper()} is suppressed (hard-bounce in *" in result.stderr
    assert "Left out: no address is not one e-mail address" in result.stderr
    sent = [recipients for _, recipients, _ in smtp.messages] + [each.destination for each in messages(ses)]
    assert sent == [[OTHER]]


def test_nothing_is_sent_if_nobody_is_left(ses: LocalSes, shop: SuppressionShop):
    shop.record(a_bounce())
    result = send(to=(READER,), exits=1)
    assert (result.stdout, messages(ses)) == ("", [])
    assert "Nobody is left to send to." in result.stderr


@pytest.mark.parametrize(
    ("stream_tag", "words"), [(None, ("--configuration-set", "receipts")), ("kind", ("--tag", "kind=receipts"))]
)
def test_suppression_list_is_asked_for_the_stream_of_the_message(
    ses: LocalSes, shop: SuppressionShop, stream_tag: str | None, words: tuple[str, ...]
):
    shop.set_policy(Policy(stream_tag=stream_tag))
    added = ["suppressions", "add", OTHER, "--scope", "stream#receipts", "--note", "test", "--env", "local"]
    assert CliRunner().invoke(app, added).exit_code == 0
    send(exits=0)
    assert "in stream#receipts" in send(*words, exits=1).stderr


@pytest.mark.parametrize("via", WAYS)
def test_dry_run_shows_what_would_be_sent(ses: LocalSes, via: str):
    """A dry run needs no SMTP credentials."""
    shown = send(*TAGS, "--dry-run", via=via, html="<p>Bücher</p>").stdout
    assert messages(ses) == []
    if via == "smtp":
        assert message_from_string(shown)["X-SES-MESSAGE-TAGS"] == "campaign=spring, genre=sci-fi"
        return
    parameters = json.loads(shown)
    tags = parameters.get("EmailTags") or parameters["Tags"]
    assert tags == [{"Name": "campaign", "Value": "spring"}, {"Name": "genre", "Value": "sci-fi"}]
    assert OTHER in shown
    assert "text/html" in shown or "Bücher" in shown


def test_text_is_standard_input_unless_there_is_another(ses: LocalSes):
    def body(*words: str) -> dict[str, Any]:
        shown = send("--dry-run", *words, given="Given").stdout
        return {name: part["Data"] for name, part in json.loads(shown)["Content"]["Simple"]["Body"].items()}

    assert body() == {"Text": "Given"}
    assert body("--text", "Written") == {"Text": "Written"}
    assert body("--html", "<p>") == {"Html": "<p>"}


def test_headers_of_the_environment_have_the_values_of_their_tags(ses: LocalSes, monkeypatch: pytest.MonkeyPatch):
    from msgspec.structs import replace

    dimensions = (Dimension(name="genre", source="emailHeader"), Dimension(name="x", source="messageTag"))
    destination = EventDestination(events=(Kind.SEND,), cloudwatch_dimensions=dimensions)
    newsletter = replace(LOCAL.configuration_sets["newsletter"], event_destinations={"metrics": destination})
    changed = replace(
        LOCAL,
        account=DEFAULT_ACCOUNT_ID,
        tag_headers={"X-Campaign": "campaign"},
        configuration_sets=LOCAL.configuration_sets | {"newsletter": newsletter},
    )
    monkeypatch.setattr(cli_deployment, "load", lambda _: changed)
    content = json.loads(send(*TAGS, "--tag", "x=y", "--dry-run").stdout)["Content"]["Simple"]
    assert {each["Name"]: each["Value"] for each in content["Headers"]} == {"X-Campaign": "spring", "genre": "sci-fi"}


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--tag", "campaign"), "write NAME=VALUE"),
        (("--tag", "campaign=a b"), 'The value of the tag "campaign" contains " "'),
        (("--tag", "campaign=a", "--tag", "campaign=b"), 'The tag "campaign" is given twice'),
        (("--configuration-set", "newsleter"), "newsleter is no configuration set of local. Choose one"),
        (("--from", "a@b.example"), "No configuration set of local is the default. Choose one"),
        (("--subject", "a\nb"), "control character"),
        (("--via", "post"), "Valid ones: v2, v2-raw, v1, v1-raw, smtp"),
        (("--via", "v1", "--list", "readers"), "no parameter for a contact list"),
        (("--topic", "sci-fi"), "belongs to a contact list"),
    ],
)
def test_mistake_is_named_and_nothing_is_sent(ses: LocalSes, words: tuple[str, ...], text: str):
    result = send(*words, exits=2)
    assert text in " ".join(result.stderr.replace("│", " ").split())
    assert messages(ses) == []


def test_refusal_of_ses_is_one_sentence(ses: LocalSes, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ses, "sending_enabled", lambda _: False)
    result = send(exits=2)
    assert result.stderr.startswith("AWS refused SendEmail (SendingPausedException)")
