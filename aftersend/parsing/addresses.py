"""Extract e-mail addresses from the forms in which SES's records hold them."""

import inspect
from email.utils import getaddresses

MAX_ADDRESS_CHARACTERS = 1_000
"""A longer text, display name included, is not parsed as an address: parsing takes too long."""

_NOT_STRICT: dict[str, bool] = {"strict": False} if "strict" in inspect.signature(getaddresses).parameters else {}
"""Python 3.13 and newer patch releases of older versions refuse more addresses by default. Keys of events contain what
is parsed here: a runtime's update must not change them."""


def bare_address(address: str) -> str:
    """Return the address without display name, comment or surrounding blanks."""
    if "(" not in address:  # hardly any has a comment; parsing takes ten times longer
        if "<" not in address:
            return address.strip()
        if address.endswith(">"):
            return address[address.rfind("<") + 1 : -1].strip()
    return next(iter(_parse_addresses(address, max_characters=MAX_ADDRESS_CHARACTERS)), address).strip()


def split_joined_addresses(value: object) -> list[str]:
    """Return the addresses of a text that should have been a list; none if it is a single address."""
    if not isinstance(value, str) or "," not in value:
        return []
    parsed = _parse_addresses(value, max_characters=50 * MAX_ADDRESS_CHARACTERS)
    addresses = [address for address in parsed if "@" in address]
    return addresses if len(addresses) > 1 else []


def _parse_addresses(text: str, *, max_characters: int) -> list[str]:
    """Parse a header's value into addresses; none where that would take too long or is nested too deeply (comments,
    groups and domain literals may be nested to any depth)."""
    if len(text) > max_characters:
        return []
    try:
        return [address for _, address in getaddresses([text], **_NOT_STRICT) if address]
    except RecursionError:
        return []
