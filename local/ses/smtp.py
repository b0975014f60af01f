"""Serve SES's SMTP interface: STARTTLS on one port, implicit TLS on another."""

import logging
import ssl
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from local.ses.certificate import server_context
from local.ses.responses import RequestError
from local.ses.sending import MAX_BYTES_V2, accept, raw_draft
from local.ses.simulator import LocalSes

HOST = "127.0.0.1"

OPERATION = "SendSmtp"
"""The value of the tag `ses:operation`. AWS does not document the one that SES has for SMTP."""

_PREFIXES = {"MessageRejected": "Message rejected: ", "InvalidParameterValue": "Transaction failed: "}
"""How SES begins its 554 responses, by the error code of the API ("SMTP response codes" in the SES developer guide)."""


class SmtpPorts(NamedTuple):
    starttls: int
    implicit_tls: int


logging.getLogger("mail.log").disabled = True  # the package's own log: it warns of deprecations of its own


class _Handler:
    """Hands messages over as SendRawEmail does."""

    def __init__(self, ses: LocalSes) -> None:
        self._ses = ses

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not session.authenticated:
            return "530 Authentication required"
        envelope.mail_from, envelope.mail_options = address, options
        return "250 Ok"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        raw, recipients = envelope.original_content or b"", [str(each) for each in envelope.rcpt_tos]
        if len(raw) > MAX_BYTES_V2:
            return "552 Message is too long."
        try:
            return f"250 Ok {accept(self._ses, raw_draft(OPERATION, raw, str(envelope.mail_from), recipients))}"
        except RequestError as error:
            text = f"554 {_PREFIXES.get(error.code, '')}{error.message}"
            return text.encode("ascii", "replace").decode()  # all that a response may have

    async def handle_exception(self, error: Exception) -> str:
        """Answer what nobody foresaw, without a traceback on the terminal."""
        return f"451 Temporary service failure ({type(error).__name__})"


class _SesSmtp(SMTP):
    """The protocol with SES's texts where the package has others."""

    async def push(self, status: str | bytes) -> None:
        text = status.decode() if isinstance(status, bytes) else status
        await super().push(_TEXTS.get(text, text))


_TEXTS = {
    "235 2.7.0 Authentication successful": "235 Authentication successful.",
    "535 5.7.8 Authentication credentials invalid": "535 Authentication Credentials Invalid",
    "552 Error: message size exceeds fixed maximum message size": "552 Message is too long.",
    "552 Error: Too much mail data": "552 Message is too long.",
    "538 5.7.11 Encryption required for requested authentication mechanism": "530 Must issue a STARTTLS command first",
}


class _Controller(Controller):
    def __init__(self, ses: LocalSes, port: int, context: ssl.SSLContext, *, implicit_tls: bool) -> None:
        self._context, self._implicit_tls = context, implicit_tls
        super().__init__(_Handler(ses), hostname=HOST, port=port, ssl_context=context if implicit_tls else None)

    def factory(self) -> SMTP:
        return _SesSmtp(
            self.handler,
            hostname="email-smtp.amazonaws.com",
            data_size_limit=MAX_BYTES_V2,
            authenticator=_authenticate,
            tls_context=None if self._implicit_tls else self._context,
            require_starttls=not self._implicit_tls,
            auth_require_tls=not self._implicit_tls,
            enable_SMTPUTF8=False,
        )


def _authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, login: Any) -> AuthResult:
    """Accept any credentials that are not empty."""
    return AuthResult(success=bool(login.login and login.password), handled=False)


@contextmanager
def running_smtp(ses: LocalSes, ports: SmtpPorts) -> Generator[SmtpPorts]:
    """Serve SMTP on two ports of loopback."""
    context = server_context()
    with ExitStack() as stack:
        for port, implicit_tls in zip(ports, (False, True), strict=True):
            controller = _Controller(ses, port, context, implicit_tls=implicit_tls)
            controller.start()
            stack.callback(controller.stop, no_assert=True)
        yield ports
