"""Reading environments from TOML files, so that every mistake is told at once: the file, the key, the value, and what
would be right."""

import json
import re
import tomllib
from collections.abc import Iterator
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from aftersend.config.environment import Environment

FOLDER = Path(__file__).parent.parent.parent / "environments"

NAME = "[A-Za-z0-9-]{1,100}"
"""What a stack's name may hold, with room for ours around it."""

CLAIMED = {"configuration_sets": "configuration set", "identities": "identity"}
"""What there is once in an account and Region, so that two environments cannot both have it."""


class InvalidEnvironment(Exception):
    """An environment that cannot be used; the message says which, why and what would be right."""


def names(folder: Path = FOLDER) -> list[str]:
    """The environments there are."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def load(name: str | None, folder: Path = FOLDER) -> Environment:
    """The environment of that name.

    Raises:
        InvalidEnvironment: if there is none, or its file says something that cannot be.
    """
    known = names(folder)
    if name not in known:
        asked = f'There is no environment "{name}".' if name else "No environment was named."
        there_are = f"There are: {', '.join(known)}." if known else f"There are no files in {folder}."
        raise InvalidEnvironment(f"{asked} {there_are} Name one with `-c env=NAME`.")
    file = folder / f"{name}.toml"
    shown = f"{folder.name}/{file.name}"
    if not re.fullmatch(NAME, name):
        raise InvalidEnvironment(f"{shown}: {name} must be of letters, digits and -: stacks are named after the file.")
    try:
        found = tomllib.loads(file.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidEnvironment(f"{shown}: this is not TOML: {error}") from error
    reading = _Reading()
    environment = reading.section(found, Environment, [], name=name)
    if problems := reading.problems or list(_claimed_twice(found, file)):
        raise InvalidEnvironment("\n".join(f"{shown}: {problem}" for problem in problems))
    return environment


def suggestion(name: str, known: list[str]) -> str:
    """A hint at the name that may have been meant, else at all there are; begins with a blank."""
    if hint := _meant(name, known):
        return hint
    return f" There are: {', '.join(sorted(known))}." if known else " There are none."


def _meant(name: str, known: list[str], cutoff: float = 0.6) -> str:
    close = get_close_matches(name, known, 1, cutoff)
    return f' Did you mean "{close[0]}"?' if close else ""


def format_path(path: list[str | int]) -> str:
    """A key as TOML writes it, as in `identities."bookshop.example".notifications[0]`."""
    shown = ""
    for part in path:
        if isinstance(part, int):
            shown += f"[{part}]"
        else:
            plain = part.replace("_", "").replace("-", "").isalnum() and part.isascii()
            shown += f"{'.' if shown else ''}{part if plain else json.dumps(part, ensure_ascii=False)}"
    return shown


class _Reading:
    """Reads a file's values into types, and collects what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def section(self, found: Any, kind: type[msgspec.Struct], path: list[str | int], **given: str) -> Any:
        """A table as the values of a struct; None where something was wrong."""
        if not isinstance(found, dict):
            return self._wrong(path, found, "a table")
        before = len(self.problems)
        hints = get_type_hints(kind, include_extras=True)
        fields = {field.name: field for field in msgspec.structs.fields(kind) if field.name not in given}
        for key in sorted(found.keys() - fields.keys()):
            self.problems.append(f"{format_path([*path, key])}: there is no such key.{suggestion(key, list(fields))}")
        for name, field in fields.items():
            if field.required and name not in found:
                wanted = _described(hints[name])
                self.problems.append(f"{format_path([*path, name])} is missing. It must be {wanted}.")
        values = {name: self._value(found[name], hints[name], [*path, name]) for name in fields if name in found}
        return kind(**values, **given) if len(self.problems) == before else None

    def _value(self, found: Any, kind: Any, path: list[str | int]) -> Any:
        inner, constraints = _unwrapped(kind)
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            return self.section(found, inner, path)
        if get_origin(inner) is dict:
            if not isinstance(found, dict):
                return self._wrong(path, found, "a table")
            key_kind, value_kind = get_args(inner)
            for key in found:
                self._leaf(key, key_kind, [*path, key], is_key=True)
            return {key: self._value(value, value_kind, [*path, key]) for key, value in found.items()}
        if get_origin(inner) is tuple:
            if not isinstance(found, list):
                return self._wrong(path, found, f"a list; of each: {_described(get_args(inner)[0])}")
            if not found and constraints:
                return self._wrong(path, found, "a list with at least one")
            return tuple(self._value(value, get_args(inner)[0], [*path, i]) for i, value in enumerate(found))
        return self._leaf(found, kind, path)

    def _leaf(self, found: Any, kind: Any, path: list[str | int], *, is_key: bool = False) -> Any:
        try:
            return msgspec.convert(found, kind)
        except msgspec.ValidationError:
            if is_key:
                self.problems.append(f"{format_path(path)}: the name must be {_described(kind)}.")
                return None
            return self._wrong(path, found, _described(kind), _choices(kind))

    def _wrong(self, path: list[str | int], found: Any, wanted: str, choices: tuple[Any, ...] = ()) -> None:
        value = json.dumps(found, ensure_ascii=False, default=str)
        named = [choice for choice in choices if isinstance(choice, str)]
        meant = _meant(found, named, 0.5) if isinstance(found, str) else ""
        self.problems.append(f"{format_path(path)} = {value:.200}: this must be {wanted}.{meant}")


def _unwrapped(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """The type without None and without its constraints, and these."""
    constraints: tuple[Any, ...] = ()
    while True:
        if get_origin(kind) is Annotated:
            kind, *found = get_args(kind)
            constraints += tuple(found)
        elif get_origin(kind) in (Union, UnionType):
            [kind] = [argument for argument in get_args(kind) if argument is not NoneType]
        else:
            return kind, constraints


def _choices(kind: Any) -> tuple[Any, ...]:
    inner, _ = _unwrapped(kind)
    if get_origin(inner) is Literal:
        return get_args(inner)
    return tuple(inner) if isinstance(inner, type) and issubclass(inner, Enum) else ()


def _described(kind: Any) -> str:
    """What a value of the type looks like, for a person."""
    inner, constraints = _unwrapped(kind)
    if told := [meta.description for meta in constraints if meta.description]:
        return told[0]
    if choices := _choices(kind):
        return "one of " + ", ".join(json.dumps(choice) for choice in choices)
    if get_origin(inner) is tuple:
        return f"a list; of each: {_described(get_args(inner)[0])}"
    if get_origin(inner) is dict or (isinstance(inner, type) and issubclass(inner, msgspec.Struct)):
        return "a table"
    return {bool: "true or false", int: "a whole number", str: "text in quotes"}[inner]


def _claimed_twice(found: dict[str, Any], file: Path) -> Iterator[str]:
    """What this environment has in common with another of the same account and Region."""
    for other in sorted(file.parent.glob("*.toml")):
        if other == file:
            continue
        try:
            claims = tomllib.loads(other.read_text())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError):
            continue  # its own mistake, told when it is read itself
        if any(claims.get(key) != found[key] for key in ("account", "region")):
            continue
        for key, what in CLAIMED.items():
            theirs = claims.get(key)
            for name in sorted(set(found.get(key, {})) & set(theirs if isinstance(theirs, dict) else {})):
                yield (
                    f"{format_path([key, name])}: {other.name} has this {what} too, in the same account and Region. "
                    "There is one of it: give it to one environment, or rename it here."
                )
        if found.get("contact_lists") and claims.get("contact_lists"):
            yield f"contact_lists: {other.name} has one too, and SES keeps one contact list in an account and Region."
