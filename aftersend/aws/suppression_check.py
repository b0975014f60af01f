"""Ask the suppression list which addresses may be sent to. Senders call it as `aftersend.check` before they send.

It imports little: nearly nothing of the SDK where the caller has a client, nothing of the command line or the stacks.
"""

import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from aftersend.aws.suppression_reader import KeysUnprocessed, Suppression, SuppressionReader, Suppressions
from aftersend.ledger import MAX_RECIPIENT_BYTES
from aftersend.parsing.addresses import bare_address
from aftersend.suppression import EVERYWHERE

TABLE_VARIABLE = "AFTERSEND_SUPPRESSIONS_TABLE"
"""The environment variable with the table's name."""

SECRET_VARIABLE = "AFTERSEND_HASH_KEY_SECRET"  # noqa: S105 (a name)
"""The environment variable with the ARN of the secret that contains the hash key of forgotten recipients."""

ADDRESS = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^\s<>()\[\],;:@"\\]+)@[A-Za-z0-9._\-]+')
"""One address as SES accepts it: no list of addresses, and a domain of other letters than ASCII in Punycode."""

logger = logging.getLogger(__name__)


class CheckResult(msgspec.Struct, frozen=True):
    """Hold the result of a check. Addresses are spelled as they were passed."""

    allowed: list[str]
    """Addresses that may be sent to, in the order in which they were passed, repetitions included."""
    suppressed: dict[str, Suppression]
    """Why each of the other addresses may not be sent to."""
    unknown: list[str]
    """Addresses that could not be checked. With `on_error="allow"` they are allowed, too."""


class SuppressionUnknown(Exception):
    """Some addresses could not be checked. `result.unknown` lists them; the rest of `result` is about the others."""

    def __init__(self, message: str, result: CheckResult) -> None:
        super().__init__(message)
        self.result = result


def check(
    addresses: Iterable[str],
    stream: str | None = None,
    contact_list: str | None = None,
    topic: str | None = None,
    *,
    table: str | None = None,
    client: Any = None,
    hash_key: str | None = None,
    ignore_forgotten: bool = False,
    on_error: Literal["raise", "allow"] = "raise",
    consistent: bool = False,
    now: datetime | None = None,
) -> CheckResult:
    """Return which addresses may be sent to, and why the others may not.

    Args:
        addresses: Any number of addresses, with or without display names.
        stream: The stream of the message, as the environment defines it: a tag's value or a configuration set.
        contact_list: The contact list that the message is sent to.
        topic: The topic of the contact list.
        table: The suppressions table; default: the environment variable AFTERSEND_SUPPRESSIONS_TABLE.
        client: A DynamoDB client of boto3; default: one that is created once.
        hash_key: The hash key of forgotten recipients; default: the content of the secret whose ARN is in the
            environment variable AFTERSEND_HASH_KEY_SECRET.
        ignore_forgotten: Whether to skip forgotten recipients if there is neither key nor secret.
        on_error: Whether to raise SuppressionUnknown if addresses cannot be checked, or to allow them, log a warning,
            and list them in `unknown`.
        consistent: Whether to see every write up to this moment, at twice the price.
        now: The time with which temporary entries are compared; default: the present.

    Raises:
        SuppressionUnknown: if addresses could not be checked, unless `on_error` is "allow".
        ValueError: if an argument is invalid, or the table or the hash key is not known.
    """
    _validate(addresses, on_error, now)
    reader = SuppressionReader(
        table=_table(table),
        scopes=_scopes(stream, contact_list, topic),
        hash_key=_hash_key(hash_key, ignore_forgotten),
        client=client or _default_client(),
        consistent=consistent,
        now=now or datetime.now(UTC),
    )
    return _check_batches(reader, addresses, on_error)


def _check_batches(
    reader: SuppressionReader, addresses: Iterable[str], on_error: Literal["raise", "allow"]
) -> CheckResult:
    result, failure = CheckResult([], {}, []), None
    for batch in _batches(addresses, reader.max_recipients):
        suppressions: Suppressions = {}
        if failure is None:  # nothing is requested after a failure: each request could take as long to fail
            suppressions, failure = _read(reader, {recipient for _, recipient in batch if recipient})
        _add(result, batch, suppressions, allow_unknown=on_error == "allow")
    if result.unknown:
        _report_unknown(result, failure, on_error)
    return result


def recipient_of(address: str) -> str | None:
    """Return the recipient that an address stands for, as in the tables; None if it is not one e-mail address."""
    bare = bare_address(address)
    if not ADDRESS.fullmatch(bare) or len(bare.encode()) > MAX_RECIPIENT_BYTES:
        return None
    return bare.lower()


Batch = list[tuple[str, str | None]]
"""Addresses with the recipients they stand for."""


def _batches(addresses: Iterable[str], max_recipients: int) -> Iterator[Batch]:
    """Cut addresses into batches that have as many different recipients as one request may ask for."""
    batch: Batch = []
    recipients: set[str | None] = {None}
    for address in addresses:
        recipient = recipient_of(address)
        if recipient not in recipients and len(recipients) > max_recipients:
            yield batch
            batch, recipients = [], {None}
        batch.append((address, recipient))
        recipients.add(recipient)
    yield batch


def _read(reader: SuppressionReader, recipients: set[str]) -> tuple[Suppressions, Exception | None]:
    """Return what is known about recipients, and what kept the rest from being read."""
    try:
        return reader.read(recipients), None
    except KeysUnprocessed as error:
        return error.suppressions, error
    except (BotoCoreError, ClientError) as error:
        return {}, error


def _add(result: CheckResult, batch: Batch, suppressions: Suppressions, *, allow_unknown: bool) -> None:
    """Add a batch of addresses to the result."""
    for address, recipient in batch:
        is_known = recipient in suppressions
        if suppression := suppressions.get(recipient or ""):
            result.suppressed[address] = suppression
        elif is_known or allow_unknown:
            result.allowed.append(address)
        if not is_known:
            result.unknown.append(address)


def _report_unknown(result: CheckResult, failure: Exception | None, on_error: str) -> None:
    """Raise or log that addresses could not be checked. The message names no address, because messages get logged."""
    if failure is None:
        reason = "they are not single e-mail addresses, or their entries are unreadable"
    else:
        code = failure.response.get("Error", {}).get("Code") if isinstance(failure, ClientError) else None
        reason = f"reading failed ({code or type(failure).__name__})"
    message = f"{len(result.unknown)} addresses could not be checked: {reason}. They are listed in result.unknown"
    if on_error == "raise":
        raise SuppressionUnknown(f"{message} of this exception.", result) from failure
    logger.warning('%s and allowed, because on_error is "allow".', message)


def _validate(addresses: Iterable[str], on_error: str, now: datetime | None) -> None:
    if isinstance(addresses, str):
        raise ValueError("addresses is a list, also of a single address: check([address]).")
    if on_error not in ("raise", "allow"):
        raise ValueError(f'on_error is "raise" or "allow", not {on_error!r}.')
    if now and now.tzinfo is None:
        raise ValueError("now needs a time zone, for example datetime.now(UTC).")


def _table(table: str | None) -> str:
    if name := table or os.environ.get(TABLE_VARIABLE):
        return name
    raise ValueError(f"The suppressions table is not known: pass table=, or set {TABLE_VARIABLE} to its name.")


def _scopes(stream: str | None, contact_list: str | None, topic: str | None) -> list[str]:
    """Return the scopes that apply to a message, the widest first."""
    if topic and not contact_list:
        raise ValueError(f"The topic {topic} belongs to a contact list: pass contact_list=.")
    scopes = {f"stream#{stream}": stream, f"list#{contact_list}": contact_list, f"topic#{contact_list}/{topic}": topic}
    return [EVERYWHERE, *(scope for scope, name in scopes.items() if name)]


def _hash_key(hash_key: str | None, ignore_forgotten: bool) -> Callable[[], str] | None:
    """Return what gets the hash key of forgotten recipients; None if they are skipped."""
    if hash_key:
        return lambda: hash_key
    if secret := os.environ.get(SECRET_VARIABLE):
        return lambda: _secret_text(secret)
    if ignore_forgotten:
        return None
    raise ValueError(
        f"The hash key of forgotten recipients is not known: pass hash_key=, set {SECRET_VARIABLE} to the ARN of its "
        "secret, or skip forgotten recipients with ignore_forgotten=True."
    )


def _default_client() -> Any:
    from aftersend.aws.clients import client  # imports most of botocore

    return client("dynamodb")


def _secret_text(arn: str) -> str:
    from aftersend.aws.secrets import secret_text  # imports most of botocore

    return secret_text(arn)
