"""Hash a recipient with a key, so that a forgotten one is recognized without their address being stored."""

import hmac

KEY_VERSION = "1"


def keyed_hash(recipient: str, key: str) -> str:
    """Return the version of the key and the recipient's HMAC-SHA256 under it, in hexadecimal."""
    return f"{KEY_VERSION}:{hmac.digest(key.encode(), recipient.lower().encode(), 'sha256').hex()}"
