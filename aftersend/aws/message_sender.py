"""Send one message: through an operation of an SES API, or over SMTP."""

import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from typing import Any, NamedTuple

from botocore import xform_name

from aftersend.aws.deployment import Deployment, Unavailable
from aftersend.sending import OPERATIONS, Interface

PORT = 587
"""The port on which SES, like most servers, begins without TLS and changes to it (STARTTLS)."""

TIMEOUT_SECONDS = 30

THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


class SmtpAccess(NamedTuple):
    """An SMTP server, and the credentials for it. Those of SES are made for SMTP: they are no access keys."""

    host: str
    port: int
    username: str
    password: str


class _Connection(smtplib.SMTP):
    """A connection that remembers the server's answer to the message, in which SES names the message id."""

    answer = b""

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Send the message."""
        code, self.answer = super().data(msg)
        return code, self.answer


def send_by_api(deployment: Deployment, interface: Interface, parameters: dict[str, Any]) -> str:
    """Send a message with the parameters of the interface's operation, and return its id.

    Raises:
        ClientError, BotoCoreError: if SES does not accept it.
    """
    operation = OPERATIONS[interface]
    client = deployment.client(operation.service)
    return getattr(client, xform_name(operation.name))(**parameters)["MessageId"]


def send_by_smtp(access: SmtpAccess, mime: EmailMessage, sender: str, recipients: Sequence[str]) -> str:
    """Send a message, encrypted unless the server is on this machine, and return its id.

    Raises:
        Unavailable: if the server cannot be reached, or does not accept the credentials, the message or a recipient.
    """
    where = f"The SMTP server {access.host}:{access.port}"
    try:
        with _Connection(access.host, access.port, timeout=TIMEOUT_SECONDS) as connection:
            _encrypt(connection, access.host)
            connection.login(access.username, access.password)
            if refused := connection.send_message(mime, sender, recipients):
                raise Unavailable(f"{where} sent the message to the others, and refused {', '.join(refused)}.")
            return connection.answer.decode(errors="replace").split()[-1]
    except smtplib.SMTPAuthenticationError as error:
        raise Unavailable(
            f"{where} refuses the credentials ({error.smtp_code}): create some for SMTP in the SES console of this "
            "Region. Access keys are none."
        ) from None
    except (OSError, smtplib.SMTPException) as error:
        raise Unavailable(f"{where} did not take the message: {error}") from None


def _encrypt(connection: smtplib.SMTP, host: str) -> None:
    """Change to TLS. A server on this machine may have none, or a certificate of its own."""
    context = ssl.create_default_context()
    connection.ehlo()
    if host in THIS_MACHINE:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if not connection.has_extn("starttls"):
            return
    connection.starttls(context=context)
