"""Track opens, clicks and unsubscriptions: change messages so that their links lead here, and recognize such links."""

import html
import re
from collections.abc import Iterator
from email.message import Message as Mime
from typing import Any, NamedTuple

from local.ses import mime
from local.ses.responses import RequestError

MAX_TRACKED_LINKS = 250
"""Links of a message that SES tracks ("Email metrics FAQs" in the SES developer guide)."""

OPEN_TRACKER, UNSUBSCRIBE_URL = "{{ses:openTracker}}", "{{amazonSESUnsubscribeUrl}}"

_ANCHOR = re.compile(r"<a\b[^>]*>", re.IGNORECASE)
_HREF = re.compile(r"""((?<![\w-])href\s*=\s*)(["'])(https?://.*?)\2""", re.IGNORECASE | re.DOTALL)
_LINK_TAGS = re.compile(r"""\s+ses:tags\s*=\s*(["'])(.*?)\1""", re.IGNORECASE)
_NO_TRACK = re.compile(r"""\s+ses:no-track(?:\s*=\s*(["']).*?\1)?""", re.IGNORECASE)


class Link(NamedTuple):
    """A tracked link: where it leads, and its link tags as records have them."""

    url: str
    tags: dict[str, list[str]] | None


def track(message: Mime, base: str, *, opens: bool, clicks: bool) -> list[Link]:
    """Change the HTML of a message so that its links and a pixel lead to `base`; return the links.

    Raises:
        RequestError: if it places the pixel twice.
    """
    text, links = mime.body(message, "html"), []
    if text is None:
        return []
    changed = _ANCHOR.sub(lambda match: _tracked_anchor(match[0], f"{base}/click", links, clicks=clicks), text)
    changed = _with_pixel(changed, f'<img alt="" src="{base}/open" width="1" height="1">' if opens else "")
    if changed != text:
        mime.replace_body(message, "html", changed)
    return links


def _tracked_anchor(anchor: str, base: str, links: list[Link], *, clicks: bool) -> str:
    """Return the tag of a link with its URL replaced, and without SES's own attributes."""
    tags, is_tracked = _LINK_TAGS.search(anchor), clicks and not _NO_TRACK.search(anchor)
    plain = _NO_TRACK.sub("", _LINK_TAGS.sub("", anchor))
    target = _HREF.search(plain)
    if not is_tracked or target is None or len(links) >= MAX_TRACKED_LINKS:
        return plain
    links.append(Link(html.unescape(target[3]), _parse_link_tags(tags[2]) if tags else None))
    return plain[: target.start(3)] + f"{base}/{len(links) - 1}" + plain[target.end(3) :]


def _parse_link_tags(text: str) -> dict[str, list[str]]:
    """Parse link tags such as `book:1974;shelf:science-fiction`."""
    tags: dict[str, list[str]] = {}
    for name, _, value in (pair.partition(":") for pair in text.split(";") if pair.strip()):
        tags.setdefault(name.strip(), []).append(value.strip())
    return tags


def _with_pixel(text: str, pixel: str) -> str:
    """Return HTML with the pixel where it is placed, else at the end of the body."""
    if text.count(OPEN_TRACKER) > 1:
        raise RequestError("InvalidParameterValue", f"The message has more than one {OPEN_TRACKER}.")
    if OPEN_TRACKER in text:
        return text.replace(OPEN_TRACKER, pixel)
    head, end, tail = text.rpartition("</body>")
    return head + pixel + end + tail if end else text + pixel


def add_unsubscribe_links(message: Mime, url: str) -> None:
    """Add the headers of one-click unsubscription (RFC 8058), and fill in the placeholder of the link."""
    del message["List-Unsubscribe"], message["List-Unsubscribe-Post"]
    message["List-Unsubscribe"] = f"<{url}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    for subtype in ("plain", "html"):
        text = mime.body(message, subtype)
        if text and UNSUBSCRIBE_URL in text:
            mime.replace_body(message, subtype, text.replace(UNSUBSCRIBE_URL, url))


def find_links(text: str) -> Iterator[str]:
    """Yield the URLs of the links in HTML."""
    return (html.unescape(match[3]) for match in _HREF.finditer(text))


def click_event(link: Link) -> dict[str, Any]:
    return {"event": "Click", "link": link.url, "linkTags": link.tags}
