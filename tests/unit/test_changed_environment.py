"""Verify that the two environments of tests/environments differ in every key, so that deployments of both test all."""

from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest

from aftersend.config.environment import Environment
from aftersend.config.lint import findings
from aftersend.config.loader import load

ENVIRONMENTS = Path(__file__).parent.parent / "environments"
A, B = (load("change", ENVIRONMENTS / step) for step in "ab")

CANNOT_CHANGE = {
    ("Environment", "name"),
    ("Environment", "account"),
    ("Environment", "region"),
    ("Functions", "runs_on"),  # the emulator always runs on this machine
    ("ContactList", "existing"),  # the emulator has no contact lists
    # What was retained is named when an environment is deployed again, and never changes afterwards.
    ("Environment", "existing_state"),
    ("ExistingState", "ledger_table"),
    ("ExistingState", "ledger_stream_arn"),
    ("ExistingState", "counters_table"),
    ("ExistingState", "suppressions_table"),
    ("ExistingState", "suppressions_stream_arn"),
    ("ExistingState", "archive_bucket"),
    ("ExistingState", "recipient_hash_key_secret_arn"),
}

Key = tuple[str, str]


def sections(kind: Any) -> Iterator[type[msgspec.Struct]]:
    """Return the structs in a field's type."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield kind
    elif get_origin(kind) in (Annotated, Union, UnionType, dict, tuple):
        for argument in get_args(kind):
            yield from sections(argument)


def keys(struct: type[msgspec.Struct]) -> set[Key]:
    """Return every key of a section and of the sections in it."""
    result = set()
    for name, kind in get_type_hints(struct, include_extras=True).items():
        result.add((struct.__name__, name))
        for section in sections(kind):
            result |= keys(section)
    return result


def changed(one: Any, other: Any) -> set[Key]:
    """Return the keys whose values differ, in sections that are in both."""
    if isinstance(one, dict):
        return set().union(*(changed(one[name], other[name]) for name in one.keys() & other.keys()))
    if isinstance(one, tuple):
        return set().union(*(changed(*pair) for pair in zip(one, other, strict=False)))
    if not isinstance(one, msgspec.Struct):
        return set()
    result: set[Key] = set()
    for name in one.__struct_fields__:
        values = getattr(one, name), getattr(other, name)
        if values[0] != values[1]:
            result.add((type(one).__name__, name))
        if NoneType not in map(type, values):
            result |= changed(*values)
    return result


def test_every_changeable_key_differs():
    assert keys(Environment) - changed(A, B) == CANNOT_CHANGE


def test_configuration_sets_and_identities_are_added_kept_and_removed():
    for section in ("configuration_sets", "identities"):
        one, other = getattr(A, section).keys(), getattr(B, section).keys()
        assert one - other
        assert other - one
        assert one & other


@pytest.mark.parametrize("environment", [A, B], ids="ab")
def test_environment_has_no_findings(environment: Environment):
    assert findings(environment) == []
