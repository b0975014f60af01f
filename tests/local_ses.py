"""Run the local SES by itself, without an emulator, and reach it over every interface."""

import smtplib
import ssl
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import boto3
import urllib3
from botocore.config import Config

from local.emulator import free_port
from local.ses import LocalSes
from local.ses.__main__ import running_ses
from local.ses.smtp import SmtpPorts, running_smtp

SENDER, READER = "Bookshop <news@bookshop.example>", "reader@mail.example"
IDENTITIES = ["bookshop.example", "orders@shop.example", "Ada@person.example", "Caps.Example"]
SETS = ["newsletter", "receipts", "paused"]

ANY_PARAMETERS = Config(parameter_validation=False, retries={"total_max_attempts": 1})
"""Has boto3 send what it would refuse itself, as clients in other languages do."""


@cache
def api_client(service: str, url: str) -> Any:
    session = boto3.Session("test", "test", region_name="us-east-1")
    return session.client(service, endpoint_url=url, config=ANY_PARAMETERS)


@dataclass(frozen=True)
class Clients:
    """Clients of a local SES over each interface."""

    ses: LocalSes
    ports: SmtpPorts

    @property
    def v1(self) -> Any:
        return api_client("ses", self.ses.url)

    @property
    def v2(self) -> Any:
        return api_client("sesv2", self.ses.url)

    @contextmanager
    def smtp(self, *, implicit_tls: bool = False, password: str | None = "any") -> Generator[smtplib.SMTP]:
        """Connect, and log in unless the password is None."""
        context = ssl._create_unverified_context()  # noqa: S323  the certificate is new at each start
        if implicit_tls:
            client: smtplib.SMTP = smtplib.SMTP_SSL("127.0.0.1", self.ports.implicit_tls, context=context)
        else:
            client = smtplib.SMTP("127.0.0.1", self.ports.starttls)
            client.starttls(context=context)
        with client:
            if password is not None:
                client.login("user", password)
            yield client

    def http(self, method: str, url: str, body: str = "") -> urllib3.BaseHTTPResponse:
        """Send a request to a path of the local SES, or to a link of a message that leads there."""
        url = url if url.startswith("http:") else self.ses.url + url
        return urllib3.request(method, url, body=body.encode(), retries=False, redirect=False)

    def messages(self, recipient: str = READER) -> list[dict[str, Any]]:
        return self.http("GET", f"/messages?recipient={recipient}").json()["messages"]

    def records(self, message_id: str) -> list[dict[str, Any]]:
        return self.http("GET", f"/events?message={message_id}").json()["events"]


@contextmanager
def local_ses() -> Generator[Clients]:
    """Run the local SES with IDENTITIES and SETS, of which one is paused, and with two templates."""
    ses, ports = LocalSes(None), SmtpPorts(free_port(), free_port())
    with running_ses(ses, IDENTITIES, SETS), running_smtp(ses, ports):
        clients = Clients(ses, ports)
        clients.v2.put_configuration_set_sending_options(ConfigurationSetName="paused", SendingEnabled=False)
        create_templates(clients)
        yield clients


def create_templates(clients: Clients) -> None:
    """Create the templates that the requests of INTERFACES name."""
    content = {"Subject": "{{title}}", "Text": "{{name}} reads", "Html": '<a href="https://shop.example/">shop</a>'}
    clients.v2.create_email_template(TemplateName="catalogue", TemplateContent=content)
    clients.v2.create_custom_verification_email_template(
        TemplateName="welcome",
        FromEmailAddress="news@bookshop.example",
        TemplateSubject="Is this you?",
        TemplateContent="<p>Hello.</p>",
        SuccessRedirectionURL="https://bookshop.example/yes",
        FailureRedirectionURL="https://bookshop.example/no",
    )


def raw_message(*headers: str, body: str = "Hello.", sender: str = SENDER, to: str = READER) -> bytes:
    """Return a MIME message with these headers besides the usual ones, of which an empty one is left out."""
    usual = [f"{name}: {value}" for name, value in (("From", sender), ("To", to), ("Subject", "Books")) if value]
    return "\r\n".join([*usual, *headers, "", body]).encode()


TEMPLATE = {"TemplateName": "catalogue", "TemplateData": '{"title": "Books", "name": "Ada"}'}
TO = {"ToAddresses": [READER]}
BODY = {"Text": {"Data": "Hello."}, "Html": {"Data": '<a href="https://shop.example/">shop</a>'}}
MESSAGE = {"Subject": {"Data": "Books"}, "Body": BODY}


class Given(NamedTuple):
    """What a request states: parameters, and headers of a MIME message. None and {} state nothing."""

    configuration_set: str | None = None
    tags: dict[str, str] = {}
    replacements: dict[str, str] = {}
    headers: tuple[str, ...] = ()

    def options(self, tags_name: str) -> dict[str, Any]:
        """Return the parameters of a request whose tags have this name."""
        named = {"ConfigurationSetName": self.configuration_set, tags_name: _tag_list(self.tags)}
        return {name: value for name, value in named.items() if value}

    @property
    def replacement_tags(self) -> dict[str, Any]:
        return {"ReplacementTags": _tag_list(self.replacements)} if self.replacements else {}


def _tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in tags.items()]


Send = Callable[[Clients, Given], str]
"""Type of a function that sends a message over one interface and returns its id."""


def _v1_send_email(clients: Clients, given: Given) -> str:
    return clients.v1.send_email(Source=SENDER, Destination=TO, Message=MESSAGE, **given.options("Tags"))["MessageId"]


def _v1_send_raw_email(clients: Clients, given: Given) -> str:
    raw = {"Data": raw_message(*given.headers)}
    return clients.v1.send_raw_email(RawMessage=raw, **given.options("Tags"))["MessageId"]


def _v1_send_templated_email(clients: Clients, given: Given) -> str:
    template = {"Template": TEMPLATE["TemplateName"], "TemplateData": TEMPLATE["TemplateData"]}
    answer = clients.v1.send_templated_email(Source=SENDER, Destination=TO, **template, **given.options("Tags"))
    return answer["MessageId"]


def _v1_send_bulk_templated_email(clients: Clients, given: Given) -> str:
    answer = clients.v1.send_bulk_templated_email(
        Source=SENDER,
        Template=TEMPLATE["TemplateName"],
        DefaultTemplateData=TEMPLATE["TemplateData"],
        Destinations=[{"Destination": TO, **given.replacement_tags}],
        **given.options("DefaultTags"),
    )
    return answer["Status"][0]["MessageId"]


def _v2_send_email(content: Callable[[Given], dict[str, Any]]) -> Send:
    def send(clients: Clients, given: Given) -> str:
        parameters = {"FromEmailAddress": SENDER, "Destination": TO, "Content": content(given)}
        return clients.v2.send_email(**parameters, **given.options("EmailTags"))["MessageId"]

    return send


def _v2_send_bulk_email(clients: Clients, given: Given) -> str:
    answer = clients.v2.send_bulk_email(
        FromEmailAddress=SENDER,
        DefaultContent={"Template": TEMPLATE},
        BulkEmailEntries=[{"Destination": TO, **given.replacement_tags}],
        **given.options("DefaultEmailTags"),
    )
    return answer["BulkEmailEntryResults"][0]["MessageId"]


def _smtp(*, implicit_tls: bool) -> Send:
    def send(clients: Clients, given: Given) -> str:
        with clients.smtp(implicit_tls=implicit_tls) as client:
            client.mail("news@bookshop.example")
            client.rcpt(READER)
            code, answer = client.data(raw_message(*given.headers))
        assert code == 250, answer
        return answer.decode().removeprefix("Ok ")

    return send


INLINE = {"Subject": "{{title}}", "Text": "{{name}} reads", "Html": BODY["Html"]["Data"]}

INTERFACES: dict[str, Send] = {
    "v1 SendEmail": _v1_send_email,
    "v1 SendRawEmail": _v1_send_raw_email,
    "v1 SendTemplatedEmail": _v1_send_templated_email,
    "v1 SendBulkTemplatedEmail": _v1_send_bulk_templated_email,
    "v2 SendEmail Simple": _v2_send_email(lambda _: {"Simple": MESSAGE}),
    "v2 SendEmail Raw": _v2_send_email(lambda given: {"Raw": {"Data": raw_message(*given.headers)}}),
    "v2 SendEmail Template": _v2_send_email(lambda _: {"Template": TEMPLATE}),
    "v2 SendEmail TemplateContent": _v2_send_email(
        lambda _: {"Template": {"TemplateContent": INLINE, "TemplateData": TEMPLATE["TemplateData"]}}
    ),
    "v2 SendBulkEmail": _v2_send_bulk_email,
    "SMTP with STARTTLS": _smtp(implicit_tls=False),
    "SMTP with implicit TLS": _smtp(implicit_tls=True),
}
"""Every sending interface that takes tags."""

WITH_HEADERS = [name for name in INTERFACES if "Raw" in name or "SMTP" in name]
WITH_PARAMETERS = [name for name in INTERFACES if "SMTP" not in name]
IN_BULK = [name for name in INTERFACES if "Bulk" in name]

TAGS = {"campaign": "spring", "genre": "poetry"}
TAG_HEADERS = ("X-SES-CONFIGURATION-SET: newsletter", "X-SES-MESSAGE-TAGS: campaign=spring, genre=poetry")
ANY_CASE = ("x-ses-Configuration-set: newsletter", "x-SES-message-Tags: campaign=spring,genre=poetry")
OTHER_HEADERS = ("X-SES-CONFIGURATION-SET: nws", "X-SES-MESSAGE-TAGS: campaign=autumn, other=1")

WAYS: dict[str, tuple[Given, list[str]]] = {
    "parameters": (Given("newsletter", TAGS), WITH_PARAMETERS),
    "headers": (Given(headers=TAG_HEADERS), WITH_HEADERS),
    "headers in any case": (Given(headers=ANY_CASE), WITH_HEADERS),
    "parameters before headers": (
        Given("newsletter", TAGS, headers=OTHER_HEADERS),
        [name for name in WITH_HEADERS if name in WITH_PARAMETERS],
    ),
    "replacements": (Given("newsletter", {"campaign": "autumn"}, TAGS), IN_BULK),
    "replacements besides defaults": (Given("newsletter", {"campaign": "spring"}, {"genre": "poetry"}), IN_BULK),
}
"""Ways of giving a message TAGS, and the interfaces that have them."""

SENDS = [(name, way) for way, (_, names) in WAYS.items() for name in names]
"""Every interface with every way that it has."""
