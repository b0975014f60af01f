"""Which notification settings were deployed for each identity, and whether SES had them: an object each, in the bucket
of the archive. Only with this memory does an identity that waits for its verification differ from one SES dropped the
settings of: SES says of both that they have none.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from aftersend.contract import IDENTITIES_PREFIX, NotificationSettings


class Deployed(msgspec.Struct, frozen=True):
    """What a deployment wants of an identity."""

    identity: str
    wanted: NotificationSettings
    is_set: bool = False
    """Whether SES was seen to have it."""


class DeployedSettings:
    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def all(self) -> Iterator[Deployed]:
        """What is deployed, by identity."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=IDENTITIES_PREFIX)
        for page in pages:
            for found in page.get("Contents", ()):
                yield self._read(found["Key"])

    def get(self, identity: str) -> Deployed | None:
        """What is deployed for an identity now; None if it was removed."""
        try:
            return self._read(_key(identity))
        except self._s3.exceptions.NoSuchKey:
            return None

    def put(self, deployed: Deployed) -> None:
        self._s3.put_object(Bucket=self._bucket, Key=_key(deployed.identity), Body=msgspec.json.encode(deployed))

    def delete(self, identity: str) -> None:
        self._s3.delete_object(Bucket=self._bucket, Key=_key(identity))

    def _read(self, key: str) -> Deployed:
        body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return msgspec.json.decode(body, type=Deployed)


def _key(identity: str) -> str:
    return f"{IDENTITIES_PREFIX}{identity}.json"
