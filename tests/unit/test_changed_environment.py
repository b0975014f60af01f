"""The two environments that are deployed one after the other (tests/environments) differ in everything there is."""

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
    ("Functions", "runs_on"),  # on the emulator it is this machine
}

Key = tuple[str, str]


def sections(kind: Any) -> Iterator[type[msgspec.Struct]]:
    """The struct of a field's type, if there is one in it."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield kind
    elif get_origin(kind) in (Annotated, Union, UnionType, dict, tuple):
        for argument in get_args(kind):
            yield from sections(argument)


def keys(of: type[msgspec.Struct]) -> set[Key]:
    """Every key of a section and of those within it."""
    found = set()
    for name, kind in get_type_hints(of, include_extras=True).items():
        found.add((of.__name__, name))
        for section in sections(kind):
            found |= keys(section)
    return found


def changed(one: Any, other: Any) -> set[Key]:
    """The keys whose values differ, of sections that are in both."""
    if isinstance(one, dict):
        return set().union(*(changed(one[name], other[name]) for name in one.keys() & other.keys()))
    if isinstance(one, tuple):
        return set().union(*(changed(*pair) for pair in zip(one, other, strict=False)))
    if not isinstance(one, msgspec.Struct):
        return set()
    found: set[Key] = set()
    for name in one.__struct_fields__:
        values = getattr(one, name), getattr(other, name)
        if values[0] != values[1]:
            found.add((type(one).__name__, name))
        if NoneType not in map(type, values):
            found |= changed(*values)
    return found


def test_every_key_differs_that_can():
    assert keys(Environment) - changed(A, B) == CANNOT_CHANGE


def test_sets_identities_and_destinations_come_and_go():
    for section in ("configuration_sets", "identities"):
        one, other = getattr(A, section).keys(), getattr(B, section).keys()
        assert one - other
        assert other - one
        assert one & other


@pytest.mark.parametrize("environment", [A, B], ids="ab")
def test_nothing_is_said_of_them(environment: Environment):
    assert findings(environment) == []
