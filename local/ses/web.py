"""Answer what recipients and tests request: tracked links, the unsubscribe link, delivered messages and records."""

import re
from base64 import b64decode
from datetime import UTC, datetime
from email.message import Message as Headers
from typing import Any
from urllib.parse import parse_qs, urlsplit

from local.ses import tracking
from local.ses.mailbox import DeliveredMessage
from local.ses.responses import Response, json_response
from local.ses.simulator import LocalSes

PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_TRACKED = re.compile(r"/track/([^/]+)/(open|click|unsubscribe)(?:/(\d+))?")


def answer(ses: LocalSes, method: str, url: str, headers: Headers) -> Response | None:
    """Return the response to a request for a message, a record or a tracked link; None for every other request."""
    parts = urlsplit(url)
    if match := _TRACKED.fullmatch(parts.path):
        return _follow(ses, match, headers.get("User-Agent", ""))
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if (method, parts.path) == ("DELETE", "/messages"):
        ses.mailbox.clear()
        return json_response({})
    if method == "GET" and parts.path == "/messages":
        listed = ses.mailbox.messages(query.get("recipient"))
        return json_response({"messages": [each.describe() for each in listed]})
    if method == "GET" and parts.path == "/events":
        return json_response({"events": ses.mailbox.records(query.get("message"))})
    return None


def _follow(ses: LocalSes, match: re.Match[str], user_agent: str) -> Response:
    delivered = ses.mailbox.get(match[1])
    if delivered is None or (match[2] == "click" and int(match[3] or 0) >= len(delivered.links)):
        return json_response({"message": f"The local SES has no message {match[1]} with this link."}, status=404)
    event, response = _FOLLOWERS[match[2]](delivered, int(match[3] or 0))
    seconds = (datetime.now(UTC) - delivered.message.sent_at).total_seconds()
    ses.publish(delivered.message, [{"seconds": seconds, "ipAddress": "127.0.0.1", "userAgent": user_agent, **event}])
    return response


def _open(_delivered: DeliveredMessage, _number: int) -> tuple[dict[str, Any], Response]:
    return {"event": "Open"}, Response(200, {"Content-Type": "image/gif"}, PIXEL)


def _click(delivered: DeliveredMessage, number: int) -> tuple[dict[str, Any], Response]:
    link = delivered.links[number]
    return tracking.click_event(link), Response(302, {"Location": link.url}, b"")


def _unsubscribe(delivered: DeliveredMessage, _number: int) -> tuple[dict[str, Any], Response]:
    options = delivered.list_management or {}
    event = {"contactList": options.get("ContactListName"), "topicName": options.get("TopicName")}
    named = {name: value for name, value in event.items() if value}
    return {"event": "Subscription", **named}, Response(200, {"Content-Type": "text/plain"}, b"You are unsubscribed.\n")


_FOLLOWERS = {"open": _open, "click": _click, "unsubscribe": _unsubscribe}
