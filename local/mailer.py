"""Send the bookshop's mail through the AWS SDK, over each operation that SES has for it."""

import json
import os
import shlex
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import boto3

from aftersend.aws.deployment import LOCAL_RUN_VARIABLE, local_run_file
from local.emulator import BIN, REGION
from local.ses import SIMULATION_HEADER
from local.traffic import SUBJECT, Mail

TEMPLATE = {"Subject": "{{first_name}}, the spring catalogue is here", "Text": "It has {{books}} books."}
TEXT = "Dear reader,\n\nthe shelves are full again: https://bookshop.example/\n"


class Mailer:
    """A client of the SES at an endpoint URL."""

    def __init__(self, endpoint: str) -> None:
        session = boto3.Session("test", "test", region_name=REGION)
        self._v1: Any = session.client("ses", endpoint_url=endpoint)
        self._v2: Any = session.client("sesv2", endpoint_url=endpoint)

    def send(self, number: int, mail: Mail) -> None:
        """Send one message; its number chooses the operation.

        SendEmail of the API v1 takes no headers, thus no simulated sending time: `mail.sent_at` is set to the real one.
        """
        if not mail.events and number % 2:
            self._send_v1(mail)
        elif number % 5 == 0:
            self._send_raw_v1(mail)
        else:
            self._send_v2(mail)

    def _send_v1(self, mail: Mail) -> None:
        answer = self._v1.send_email(
            Source=mail.sender,
            Destination={"ToAddresses": mail.recipients},
            Message={"Subject": {"Data": SUBJECT}, "Body": {"Text": {"Data": TEXT}}},
            ConfigurationSetName=mail.configuration_set,
            Tags=_tags(mail),
        )
        # A message id has the time in hexadecimal milliseconds after its first four digits.
        mail.sent_at = datetime.fromtimestamp(int(answer["MessageId"][4:16], 16) / 1000, UTC)

    def _send_raw_v1(self, mail: Mail) -> None:
        mime = EmailMessage()
        mime["From"], mime["To"], mime["Subject"] = mail.sender, ", ".join(mail.recipients), SUBJECT
        mime["X-SES-CONFIGURATION-SET"] = mail.configuration_set
        mime["X-SES-MESSAGE-TAGS"] = ", ".join(f"{name}={value}" for name, value in mail.tags.items())
        mime.set_content(TEXT)
        # Added by hand because the email package folds long header values.
        raw = f"{SIMULATION_HEADER}: {_simulation(mail)}\n".encode() + mime.as_bytes()
        self._v1.send_raw_email(RawMessage={"Data": raw}, Destinations=mail.recipients)

    def _send_v2(self, mail: Mail) -> None:
        headers = [
            {"Name": SIMULATION_HEADER, "Value": _simulation(mail)},
            {"Name": "List-Id", "Value": "<news.bookshop.example>"},
        ]
        if mail.story == "rendering_failed":
            content = {"Template": {"TemplateContent": TEMPLATE, "TemplateData": "{}", "Headers": headers}}
        else:
            body = {"Text": {"Data": TEXT}, "Html": {"Data": f"<p>{TEXT}</p>"}}
            content = {"Simple": {"Subject": {"Data": SUBJECT}, "Body": body, "Headers": headers}}
        # Every third message relies on the identity's default configuration set, which is the same.
        configuration_set = {} if mail.sent_at.second % 3 == 0 else {"ConfigurationSetName": mail.configuration_set}
        self._v2.send_email(
            FromEmailAddress=mail.sender,
            Destination={"ToAddresses": mail.recipients},
            Content=content,
            EmailTags=_tags(mail),
            **configuration_set,
        )


def send_command() -> str:
    """Return a command that sends a message with message tags to the local run, from any folder."""
    file = local_run_file().absolute()
    setting = f"{LOCAL_RUN_VARIABLE}={shlex.quote(str(file))} " if LOCAL_RUN_VARIABLE in os.environ else ""
    addresses = ["--from", "news@bookshop.example", "--to", "reader@mail.example"]
    content = ["--subject", SUBJECT, "--text", "Hello.", "--tag", "campaign=my-first", "--tag", "genre=poetry"]
    return setting + shlex.join([str(BIN / "aftersend"), "send", "--env", "local", *addresses, *content])


def _tags(mail: Mail) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in mail.tags.items()]


def _simulation(mail: Mail) -> str:
    """Return the value of the header from which the local SES reads what to simulate."""
    simulation: dict[str, Any] = {"sent_at": mail.sent_at.isoformat()}
    return json.dumps(simulation | ({"events": mail.events} if mail.events else {}))
