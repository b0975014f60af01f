"""E-mail addresses in the forms in which SES's records hold them."""

from email.utils import getaddresses

MAX_ADDRESS_CHARACTERS = 1_000
"""Characters beyond which a text is no address, with its display name, and is not parsed: that takes time."""


def bare_address(address: str) -> str:
    """The address without display name, comment or surrounding blanks."""
    if "(" not in address:  # nearly none has a comment; parsing takes ten times longer
        if "<" not in address:
            return address.strip()
        if address.endswith(">"):
            return address[address.rfind("<") + 1 : -1].strip()
    return next(iter(_parse_addresses(address, at_most=MAX_ADDRESS_CHARACTERS)), address).strip()


def split_joined_addresses(text: object) -> list[str]:
    """The addresses of a header's value that should have been a list; none if it is a single one."""
    if not isinstance(text, str) or "," not in text:
        return []
    addresses = [address for address in _parse_addresses(text, at_most=50 * MAX_ADDRESS_CHARACTERS) if "@" in address]
    return addresses if len(addresses) > 1 else []


def _parse_addresses(text: str, *, at_most: int) -> list[str]:
    """The addresses in a header's value, the hard way; none where that would take too long or is nested too deeply:
    comments, groups and domain literals may be nested to any depth."""
    if len(text) > at_most:
        return []
    try:
        return [address for _, address in getaddresses([text]) if address]
    except RecursionError:
        return []
