"""Store which notification settings were deployed for each identity, and whether SES had them.

There is one object per identity in the archive bucket. It distinguishes an identity that waits for its verification
from one whose settings SES dropped: SES itself shows both without settings. It also orders CloudFormation's requests:
Lambda may deliver an old one again after newer ones were performed.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from aftersend.aws.clients import error_code
from aftersend.contract import IDENTITIES_PREFIX, NotificationSettings

MAX_SUPERSEDED_REQUESTS = 50
"""Far more than CloudFormation sends for one identity while Lambda may deliver a request again, which is minutes."""

WRITE_CONFLICTS = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey")
"""Errors of S3 if the object is not the one that was read ("Conditional writes" in the Amazon S3 user guide)."""


class DeployedNotifications(msgspec.Struct, frozen=True, omit_defaults=True):
    """The notification settings a deployment wants for an identity."""

    identity: str
    wanted: NotificationSettings
    """The settings to set; of a deleted identity those it had before."""
    is_set: bool = False
    """Whether SES was seen to have them."""
    was_verified: bool = False
    """Whether SES was seen to have verified the identity."""
    is_deleted: bool = False
    """Whether the identity is no longer deployed. The object stays, so that old requests are recognized."""
    resource: str = ""
    """The custom resource that deployed them: its stack and logical ID."""
    request_id: str = ""
    """CloudFormation's request that wanted them."""
    superseded: tuple[str, ...] = ()
    """Earlier requests."""
    etag: str | None = None
    """The version of the object, never stored in it. None: there is no object yet."""


class Conflict(Exception):
    """The settings of an identity were changed since they were read."""


class DeployedSettings:
    """Read and write the deployed notification settings of identities."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def all(self) -> Iterator[DeployedNotifications]:
        """Return the deployed settings of every identity, ordered by identity, without the deleted ones."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=IDENTITIES_PREFIX)
        for page in pages:
            for summary in page.get("Contents", ()):
                deployed = self._get(summary["Key"])
                if not deployed.is_deleted:
                    yield deployed

    def get(self, identity: str) -> DeployedNotifications | None:
        """Return what is deployed for an identity now, or was until it was deleted."""
        try:
            return self._get(_key(identity))
        except self._s3.exceptions.NoSuchKey:
            return None

    def put(self, deployed: DeployedNotifications) -> DeployedNotifications:
        """Store the settings in place of those with the same etag, and return them with the new one.

        Raises:
            Conflict: if others were stored meanwhile.
        """
        condition = {"IfMatch": deployed.etag} if deployed.etag else {"IfNoneMatch": "*"}
        body = msgspec.json.encode(msgspec.structs.replace(deployed, etag=None))
        try:
            response = self._s3.put_object(Bucket=self._bucket, Key=_key(deployed.identity), Body=body, **condition)
        except ClientError as error:
            if error_code(error) not in WRITE_CONFLICTS:
                raise
            current = self.get(deployed.identity)
            if current and current == msgspec.structs.replace(deployed, etag=current.etag):
                return current  # the client has repeated a request whose response was lost
            raise Conflict(deployed.identity) from error
        return msgspec.structs.replace(deployed, etag=response["ETag"])

    def _get(self, key: str) -> DeployedNotifications:
        response = self._s3.get_object(Bucket=self._bucket, Key=key)
        deployed = msgspec.json.decode(response["Body"].read(), type=DeployedNotifications)
        return msgspec.structs.replace(deployed, etag=response["ETag"])


def _key(identity: str) -> str:
    return f"{IDENTITIES_PREFIX}{identity}.json"
