"""Hash a recipient with a key, so that a forgotten one is recognized without their address being stored."""

import hmac
from collections.abc import Callable

import msgspec

KEY_VERSION = "1"


def keyed_hash(recipient: str, key: str) -> str:
    """Return the version of the key and the recipient's HMAC-SHA256 under it, in hexadecimal."""
    return f"{KEY_VERSION}:{hmac.digest(key.encode(), recipient.lower().encode(), 'sha256').hex()}"


class ForgottenRecipients(msgspec.Struct, frozen=True):
    """Tell who was forgotten. The key, which costs a request, is read only if anybody was."""

    hashes: frozenset[str]
    key: Callable[[], str]

    def __contains__(self, recipient: str) -> bool:
        return bool(self.hashes) and keyed_hash(recipient, self.key()) in self.hashes
