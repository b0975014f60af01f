"""Derive construct ids from the names that people choose."""

from hashlib import blake2b


def construct_id(kind: str, name: str) -> str:
    """Return an id that belongs to this name alone.

    CloudFormation's logical ids have letters and digits only: `a-b.example` and `ab.example` would share one. A name
    may also be one that the CDK uses itself, as `Resource`.
    """
    return f"{kind}-{name}-{blake2b(name.encode(), digest_size=4).hexdigest()}"
