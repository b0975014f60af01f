"""Check addresses as SES does; its texts are those of JavaMail (`InternetAddress.validate`)."""

import re
from collections.abc import Iterable

from local.ses.responses import RequestError

MAX_RECIPIENTS = 50
"""Recipients of a message ("Service quotas" in the SES developer guide)."""

_CONTROL_OR_SPACE = re.compile(r"[\x00-\x20\x7f]")
_ILLEGAL_IN_DOMAIN = re.compile(r"[^A-Za-z0-9.\-\[\]:]")


def address_of(text: str) -> str:
    """Return the address of a header value such as `Bookshop <news@bookshop.example>`."""
    bracketed = re.search(r"<([^<>]*)>\s*$", text)
    return bracketed[1].strip() if bracketed else text.strip()


def check_recipients(recipients: list[str]) -> None:
    """Raise a RequestError unless SES sends to these recipients."""
    if not recipients:
        raise RequestError("InvalidParameterValue", "Missing required header 'To'.")
    if len(recipients) > MAX_RECIPIENTS:
        raise RequestError("InvalidParameterValue", f"Recipient count exceeds {MAX_RECIPIENTS}.")
    check_addresses(recipients)


def check_addresses(addresses: Iterable[str]) -> None:
    """Raise a RequestError unless all these addresses are valid."""
    for text in addresses:
        if problem := _problem(address_of(text)):
            raise RequestError("InvalidParameterValue", problem)


def _problem(address: str) -> str | None:
    if not address:
        return "Invalid email address ."
    local, at, domain = address.rpartition("@")
    if not at or not domain:
        return "Missing final '@domain'"
    if not local:
        return "Missing local name"
    return _part_problem("Local address", local) or _domain_problem(domain)


def _domain_problem(domain: str) -> str | None:
    if problem := _part_problem("Domain", domain):
        return problem
    # SES takes domains of other scripts only as Punycode.
    return "Domain contains illegal character" if _ILLEGAL_IN_DOMAIN.search(domain) else None


def _part_problem(part: str, text: str) -> str | None:
    if text.startswith('"') and text.endswith('"'):
        return None
    if _CONTROL_OR_SPACE.search(text):
        return f"{part} contains control or whitespace"
    if not text.isascii() and part == "Local address":
        return "Local address contains non-ASCII characters"
    dots = {
        "starts with dot": text.startswith("."),
        "ends with dot": text.endswith("."),
        "contains dot-dot": ".." in text,
    }
    return next((f"{part} {what}" for what, holds in dots.items() if holds), None)
