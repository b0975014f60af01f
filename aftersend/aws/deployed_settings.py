"""Store which notification settings were deployed for each identity, and whether SES had them.

There is one object per identity in the archive bucket. It distinguishes an identity that waits for its verification
from one whose settings SES dropped: SES itself shows both without settings.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from aftersend.contract import IDENTITIES_PREFIX, NotificationSettings


class DeployedNotifications(msgspec.Struct, frozen=True):
    """The notification settings a deployment wants for an identity."""

    identity: str
    wanted: NotificationSettings
    is_set: bool = False
    """Whether SES was seen to have them."""


class DeployedSettings:
    """Read and write the deployed notification settings of identities."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def all(self) -> Iterator[DeployedNotifications]:
        """Return the deployed settings of every identity, ordered by identity."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=IDENTITIES_PREFIX)
        for page in pages:
            for summary in page.get("Contents", ()):
                yield self._get(summary["Key"])

    def get(self, identity: str) -> DeployedNotifications | None:
        """Return what is deployed for an identity now, or None if it was removed."""
        try:
            return self._get(_key(identity))
        except self._s3.exceptions.NoSuchKey:
            return None

    def put(self, deployed: DeployedNotifications) -> None:
        self._s3.put_object(Bucket=self._bucket, Key=_key(deployed.identity), Body=msgspec.json.encode(deployed))

    def delete(self, identity: str) -> None:
        self._s3.delete_object(Bucket=self._bucket, Key=_key(identity))

    def _get(self, key: str) -> DeployedNotifications:
        body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return msgspec.json.decode(body, type=DeployedNotifications)


def _key(identity: str) -> str:
    return f"{IDENTITIES_PREFIX}{identity}.json"
