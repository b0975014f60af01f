"""The local SES as a server: the calls of SES's two APIs that it performs itself; every other is passed on.

What happens to a message is its sender's to say, in a header that is taken out as SES takes out X-SES-… headers:

    X-Local-SES-Outcome: {"events": [{"event": "Send"}, {"event": "Delivery"}, {"event": "Open", "seconds": 90}]}

Without it, the message is sent and delivered, or what its mailbox simulator address stands for happens.
"""

import json
import random
import re
import sys
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email import message_from_bytes
from email.utils import getaddresses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import escape

import urllib3

from local.ses.records import NOTIFICATION_TYPES, Message, new_id
from local.ses.simulator import LocalSes

OUTCOME_HEADER = "X-Local-SES-Outcome"
MESSAGE_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
HOP_BY_HOP = {"host", "connection", "content-length", "transfer-encoding", "keep-alive"}
EVENT_DESTINATIONS = re.compile(r"/v2/email/configuration-sets/[^/]+/event-destinations")


class Refused(Exception):
    """SES refuses the call: the error's code, and what it says."""


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


def serve(ses: LocalSes, emulator: str, port: int) -> ThreadingHTTPServer:
    """The server, on loopback; its caller runs it and shuts it down."""
    onward = urllib3.PoolManager(maxsize=16)

    class Front(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = (
            True  # head and body are written apart: each answer would wait 40 ms for the other side
        )

        def answer_call(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = _performed(ses, self.command, urlsplit(self.path).path, body) or self.passed_on(body)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = answer_call  # noqa: N815 (the base class's names)

        def passed_on(self, body: bytes) -> Answer:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
            found = onward.request(
                self.command, emulator + self.path, body=body, headers=headers, redirect=False, decode_content=False
            )
            if EVENT_DESTINATIONS.match(self.path) and self.command in ("POST", "PUT") and found.status == 200:
                _validate_topic(ses, json.loads(body))
            return Answer(found.status, found.headers, found.data)

        def log_message(self, format: str, *_: Any) -> None:
            """Says nothing: the demo shows what happens."""

    return QuietServer(("127.0.0.1", port), Front)


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, as everyone does when the demo is interrupted, is no error of the server's."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _performed(ses: LocalSes, method: str, path: str, body: bytes) -> Answer | None:
    """The answer to a call the local SES performs itself; None for those it passes on."""
    if (method, path) == ("POST", "/v2/email/outbound-emails"):
        try:
            return _json({"MessageId": _accept_v2(ses, json.loads(body))})
        except Refused as refusal:
            code, message = refusal.args
            return Answer(
                400, {"Content-Type": "application/json", "x-amzn-ErrorType": code}, _text({"message": message})
            )
    if (method, path) == ("POST", "/") and body.startswith(b"Action="):
        parameters = dict(parse_qsl(body.decode(), keep_blank_values=True))
        perform = _V1_CALLS.get(parameters["Action"])
        if perform:
            try:
                return _xml(parameters["Action"], perform(ses, parameters))
            except Refused as refusal:
                return _xml_error(*refusal.args)
    return None


def _validate_topic(ses: LocalSes, call: dict[str, Any]) -> None:
    if topic := (call["EventDestination"].get("SnsDestination") or {}).get("TopicArn"):
        ses.validate_topic(topic)


def _accept_v2(ses: LocalSes, call: dict[str, Any]) -> str:
    content = call["Content"]
    if raw := content.get("Raw"):
        return _accept_raw(ses, b64decode(raw["Data"]), call.get("FromEmailAddress"), _destinations_v2(call), call)
    simple = content.get("Simple") or content.get("Template") or {}
    return _accept(
        ses,
        source=call["FromEmailAddress"],
        destination=_destinations_v2(call),
        subject=simple.get("Subject", {}).get("Data", ""),
        configuration_set=call.get("ConfigurationSetName"),
        tags={tag["Name"]: tag["Value"] for tag in call.get("EmailTags", ())},
        headers={header["Name"]: header["Value"] for header in simple.get("Headers", ())},
    )


def _destinations_v2(call: dict[str, Any]) -> list[str]:
    destination = call.get("Destination", {})
    return [address for kind in ("To", "Cc", "Bcc") for address in destination.get(f"{kind}Addresses", ())]


def _send_email_v1(ses: LocalSes, call: dict[str, str]) -> str:
    message_id = _accept(
        ses,
        source=call["Source"],
        destination=[call[name] for name in call if name.startswith("Destination.")],
        subject=call["Message.Subject.Data"],
        configuration_set=call.get("ConfigurationSetName"),
        tags=_tags_v1(call),
        headers={},
    )
    return f"<MessageId>{message_id}</MessageId>"


def _send_raw_email_v1(ses: LocalSes, call: dict[str, str]) -> str:
    destinations = [call[name] for name in call if name.startswith("Destinations.")]
    parameters = {"ConfigurationSetName": call.get("ConfigurationSetName")}
    tags = [{"Name": name, "Value": value} for name, value in _tags_v1(call).items()]
    raw = b64decode(call["RawMessage.Data"])
    message_id = _accept_raw(
        ses, raw, call.get("Source"), destinations, parameters | ({"EmailTags": tags} if tags else {})
    )
    return f"<MessageId>{message_id}</MessageId>"


def _tags_v1(call: dict[str, str]) -> dict[str, str]:
    names = [name for name in call if re.fullmatch(r"Tags\.member\.\d+\.Name", name)]
    return {call[name]: call[name.removesuffix("Name") + "Value"] for name in names}


def _accept_raw(
    ses: LocalSes, raw: bytes, source: str | None, destination: list[str], parameters: dict[str, Any]
) -> str:
    """A message with headers of its own. Tags given as parameters win entirely over those of the header."""
    mime = message_from_bytes(raw)
    headers = {name: str(value) for name, value in mime.items()}
    addressed = [address for _, address in getaddresses(mime.get_all("To", []) + mime.get_all("Cc", []))]
    in_header = dict(
        pair.strip().split("=", 1) for pair in headers.pop("X-SES-MESSAGE-TAGS", "").split(",") if pair.strip()
    )
    return _accept(
        ses,
        source=source or headers["From"],
        destination=destination or addressed,
        subject=headers.get("Subject", ""),
        configuration_set=parameters.get("ConfigurationSetName") or headers.pop("X-SES-CONFIGURATION-SET", None),
        tags={tag["Name"]: tag["Value"] for tag in parameters.get("EmailTags", ())} or in_header,
        headers=headers,
    )


def _accept(
    ses: LocalSes,
    *,
    source: str,
    destination: list[str],
    subject: str,
    configuration_set: str | None,
    tags: dict[str, str],
    headers: dict[str, str],
) -> str:
    """Check a message as SES does, and take it; its id."""
    for text in (text for tag in tags.items() for text in tag):
        if not MESSAGE_TAG.fullmatch(text):
            said = f"Invalid tag value <{text}>: only alphanumeric ASCII characters, '_', and '-' are allowed."
            raise Refused("InvalidParameterValue", said)
    try:
        configuration_set = configuration_set or ses.default_configuration_set(source)
    except KeyError as unknown:
        said = f"Email address is not verified. The following identities failed the check: {unknown.args[0]}"
        raise Refused("MessageRejected", said) from None
    if configuration_set and not ses.configuration_set_exists(configuration_set):
        raise Refused("ConfigurationSetDoesNotExist", f"Configuration set <{configuration_set}> does not exist.")
    said = json.loads(headers.pop(OUTCOME_HEADER, "{}"))
    sent_at = datetime.fromisoformat(said["sent_at"]) if "sent_at" in said else datetime.now(UTC)
    message = Message(
        id=new_id(sent_at, random.Random()),
        source=source,
        destination=destination,
        subject=subject,
        sent_at=sent_at,
        configuration_set=configuration_set,
        tags={name: [value] for name, value in tags.items()},
        headers=[{"name": name, "value": value} for name, value in headers.items()],
    )
    ses.accept(message, said.get("events"))
    return message.id


def _get_identity_notification_attributes(ses: LocalSes, call: dict[str, str]) -> str:
    entries = ""
    for name in (call[name] for name in call if name.startswith("Identities.member.")):
        settings = ses.settings[name]
        attributes = {f"{kind}Topic": settings.topics.get(kind, "") for kind in NOTIFICATION_TYPES}
        attributes |= {
            f"HeadersIn{kind}NotificationsEnabled": str(kind in settings.headers).lower() for kind in NOTIFICATION_TYPES
        }
        attributes["ForwardingEnabled"] = str(settings.forwarding).lower()
        value = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in attributes.items() if text)
        entries += f"<entry><key>{escape(name)}</key><value>{value}</value></entry>"
    return f"<NotificationAttributes>{entries}</NotificationAttributes>"


def _set_identity_notification_topic(ses: LocalSes, call: dict[str, str]) -> str:
    ses.set_topic(_verified(ses, call), call["NotificationType"], call.get("SnsTopic"))
    return ""


def _set_identity_headers_in_notifications_enabled(ses: LocalSes, call: dict[str, str]) -> str:
    settings, kind = ses.settings[_verified(ses, call)], call["NotificationType"]
    if kind not in settings.topics:
        raise Refused("InvalidParameterValue", f"No topic is set for {kind} notifications.")
    (settings.headers.add if call["Enabled"] == "true" else settings.headers.discard)(kind)
    return ""


def _set_identity_feedback_forwarding_enabled(ses: LocalSes, call: dict[str, str]) -> str:
    settings = ses.settings[_verified(ses, call)]
    if call["ForwardingEnabled"] == "false" and not {"Bounce", "Complaint"} <= settings.topics.keys():
        raise Refused("InvalidParameterValue", "Feedback is forwarded unless bounces and complaints have topics.")
    settings.forwarding = call["ForwardingEnabled"] == "true"
    return ""


def _verified(ses: LocalSes, call: dict[str, str]) -> str:
    identity = call["Identity"]
    if not ses.is_verified(identity):
        raise Refused("InvalidParameterValue", f"Identity {identity} is not verified.")
    return identity


_V1_CALLS: dict[str, Callable[[LocalSes, dict[str, str]], str]] = {
    "SendEmail": _send_email_v1,
    "SendRawEmail": _send_raw_email_v1,
    "GetIdentityNotificationAttributes": _get_identity_notification_attributes,
    "SetIdentityNotificationTopic": _set_identity_notification_topic,
    "SetIdentityHeadersInNotificationsEnabled": _set_identity_headers_in_notifications_enabled,
    "SetIdentityFeedbackForwardingEnabled": _set_identity_feedback_forwarding_enabled,
}


def _json(content: dict[str, Any]) -> Answer:
    return Answer(200, {"Content-Type": "application/json"}, _text(content))


def _text(content: dict[str, Any]) -> bytes:
    return json.dumps(content).encode()


def _xml(action: str, result: str) -> Answer:
    body = (
        f'<{action}Response xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><{action}Result>{result}</{action}Result>'
        f"<ResponseMetadata><RequestId>local</RequestId></ResponseMetadata></{action}Response>"
    )
    return Answer(200, {"Content-Type": "text/xml"}, body.encode())


def _xml_error(code: str, message: str) -> Answer:
    body = (
        '<ErrorResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><Error><Type>Sender</Type>'
        f"<Code>{code}</Code><Message>{escape(message)}</Message></Error><RequestId>local</RequestId></ErrorResponse>"
    )
    return Answer(400, {"Content-Type": "text/xml"}, body.encode())
