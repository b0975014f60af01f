"""Parse Amazon S3's notifications about the objects of the archive."""

from urllib.parse import unquote_plus

import msgspec

from aftersend.parsing.foreign_records import S3_TEST_EVENT
from aftersend.parsing.parser import Ignored, Unreadable


class ArchivedObject(msgspec.Struct, frozen=True):
    """Name an object of the archive that Amazon S3 has announced."""

    bucket: str
    key: str


def parse_object_notification(payload: str | bytes) -> list[ArchivedObject] | Ignored | Unreadable:
    """Return the objects that an Amazon S3 notification announces, with their URL-encoded keys decoded."""
    try:
        notification = _decode_object_notification(payload)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        return Unreadable("not-an-object-notification", str(error))
    if notification.event == S3_TEST_EVENT:
        return Ignored("s3-test-event")
    if not notification.records:
        return Unreadable("not-an-object-notification", "The object has no `Records`.")
    return [ArchivedObject(r.s3.bucket.name, unquote_plus(r.s3.object.key)) for r in notification.records]


class StoredBucket(msgspec.Struct):
    name: str


class StoredObject(msgspec.Struct):
    key: str


class StorageEvent(msgspec.Struct):
    bucket: StoredBucket
    object: StoredObject


class ObjectCreated(msgspec.Struct):
    s3: StorageEvent


class ObjectNotification(msgspec.Struct):
    """Describe Amazon S3's notification about objects, or its test event."""

    records: list[ObjectCreated] = msgspec.field(default=[], name="Records")
    event: str | None = msgspec.field(default=None, name="Event")


_decode_object_notification = msgspec.json.Decoder(ObjectNotification).decode
