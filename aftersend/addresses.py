"""E-mail addresses in the forms in which SES's records hold them."""

from email.utils import getaddresses, parseaddr

LONGEST = 1_000
"""Characters beyond which a text is no address, with its display name, and is not parsed: that takes time and depth."""


def bare(address: str) -> str:
    """The address without display name, comment or surrounding blanks."""
    if "(" not in address:  # nearly none has a comment; parsing takes ten times longer
        if "<" not in address:
            return address.strip()
        if address.endswith(">"):
            return address[address.rfind("<") + 1 : -1].strip()
    return (parseaddr(address)[1] or address).strip() if len(address) <= LONGEST else address.strip()


def joined(text: object) -> list[str]:
    """The addresses of a header's value that should have been a list; none if it is a single one."""
    if not isinstance(text, str) or "," not in text or len(text) > 50 * LONGEST:
        return []
    addresses = [address for _, address in getaddresses([text]) if "@" in address] if _is_flat(text) else []
    return addresses if len(addresses) > 1 else []


def _is_flat(text: str) -> bool:
    """Whether there is nothing nested to parse: comments and domain literals may be nested to any depth."""
    return not any(bracket in text for bracket in "([")
