"""Load environments from TOML files, and report every mistake with its file, key, value and fix."""

import json
import re
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from aftersend.config.conflicts import conflicts
from aftersend.config.environment import Environment
from aftersend.config.toml_file import InvalidToml, KeyPath, display_path, format_path, read_toml
from aftersend.suppression import Policy

ENVIRONMENTS_FOLDER = Path(__file__).parent.parent.parent / "environments"

NAME_PATTERN = "[A-Za-z0-9-]{1,100}"
"""CloudFormation allows 128 letters, digits and hyphens in a stack name; Aftersend adds its own words."""

NAME_OPTIONS = "`ENV=NAME` to a command of make, or `-c env=NAME` to one of cdk"

SHOWN_VALUE_CHARACTERS = 200
NAME_SIMILARITY, VALUE_SIMILARITY = 0.6, 0.5
"""How similar a name or value must be to be suggested (difflib's ratio)."""


class InvalidEnvironment(Exception):
    """Raised for an environment that cannot be used. The message has a line for each problem."""


def environment_names(folder: Path = ENVIRONMENTS_FOLDER) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.toml"))


def load(name: str | None, folder: Path = ENVIRONMENTS_FOLDER) -> Environment:
    """Load an environment by name.

    Raises:
        InvalidEnvironment: if there is no such environment, or its file has mistakes.
    """
    file = _find_file(name, folder)
    display_name = display_path(file)
    if not re.fullmatch(NAME_PATTERN, file.stem):
        raise InvalidEnvironment(
            f'{display_name}: "{file.stem}" is not an environment name. Stacks are named after the file: rename it, '
            "with at most 100 ASCII letters, digits and hyphens."
        )
    document = _document(file)
    converter = _Converter(document)
    environment = converter.table(document, Environment, [], name=file.stem)
    if problems := converter.problems or list(conflicts(document, file)):
        raise InvalidEnvironment("\n".join(f"{display_name}: {problem}" for problem in problems))
    return environment


def load_policy(file: Path) -> Policy:
    """Load the section [suppression] of an environment file, or of a file that has nothing else.

    Raises:
        InvalidEnvironment: if the file cannot be read, or the section has mistakes.
    """
    document = _document(file)
    if "suppression" not in document:
        raise InvalidEnvironment(f"{display_path(file)}: the section [suppression] is missing.")
    converter = _Converter(document)
    policy = converter.table(document["suppression"], Policy, ["suppression"])
    if converter.problems:
        raise InvalidEnvironment("\n".join(f"{display_path(file)}: {problem}" for problem in converter.problems))
    return policy


def _document(file: Path) -> dict[str, Any]:
    try:
        return read_toml(file)
    except InvalidToml as error:
        raise InvalidEnvironment(f"{display_path(file)}: {error}") from error
    except OSError as error:
        raise InvalidEnvironment(f"{display_path(file)} cannot be read: {error.strerror}.") from error


def _find_file(name: str | None, folder: Path) -> Path:
    names = environment_names(folder)
    if not names:
        raise InvalidEnvironment(f"{display_path(folder)} contains no environment files (*.toml).")
    if not name:
        raise InvalidEnvironment(f"No environment is named. Add {NAME_OPTIONS}.{_list_names(names)}")
    if name not in names:
        raise InvalidEnvironment(
            f'There is no environment "{name}" in {display_path(folder)}.{suggestion(name, names)}'
        )
    return folder / f"{name}.toml"


def suggestion(name: str, names: list[str]) -> str:
    """Suggest the most similar name, or else list all names. The result begins with a space."""
    return _closest_match(name, names, NAME_SIMILARITY) or _list_names(names)


def _list_names(names: list[str]) -> str:
    """List all names in a sentence. The result begins with a space."""
    return f" Valid names: {', '.join(sorted(names))}." if names else " None is defined."


def _closest_match(name: str, names: list[str], similarity: float) -> str:
    by_lower_case = {name.lower(): name for name in names}
    matches = get_close_matches(name.lower(), by_lower_case, 1, similarity)
    return f' Did you mean "{by_lower_case[matches[0]]}"?' if matches else ""


class _Converter:
    """Convert TOML values to the types of environment.py, and collect the problems."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.problems: list[str] = []
        self._document = document

    def table(self, value: Any, struct: type[msgspec.Struct], path: KeyPath, **extra: str) -> Any:
        """Convert a table to a struct; None if there were problems. Fields in `extra` are no keys of the table."""
        if not isinstance(value, dict):
            return self._report(value, "a table", path)
        problems_before = len(self.problems)
        types = get_type_hints(struct, include_extras=True)
        fields = {field.name: field for field in msgspec.structs.fields(struct) if field.name not in extra}
        for key in sorted(value.keys() - fields.keys()):
            hint = (_hint_top_level(key) if path else "") or suggestion(key, list(fields))
            self.problems.append(f"{format_path([*path, key])}: there is no such key.{hint}")
        for name, field in fields.items():
            if field.required and name not in value:
                hint = "" if path else _hint_misplaced(name, self._document)
                description = f"this key is missing. Its value must be {_describe(types[name])}.{hint}"
                self.problems.append(f"{format_path([*path, name])}: {description}")
        values = {name: self._value(value[name], types[name], [*path, name]) for name in fields if name in value}
        return struct(**values, **extra) if len(self.problems) == problems_before else None

    def _value(self, value: Any, annotation: Any, path: KeyPath) -> Any:
        base, constraints = _base_type(annotation)
        if isinstance(base, type) and issubclass(base, msgspec.Struct):
            return self.table(value, base, path)
        if get_origin(base) is dict:
            if not isinstance(value, dict):
                return self._report(value, "a table", path)
            key_type, value_type = get_args(base)
            for key in value:
                self._scalar(key, key_type, [*path, key])
            return {key: self._value(item, value_type, [*path, key]) for key, item in value.items()}
        if get_origin(base) is tuple:
            if not isinstance(value, list):
                return self._report(value, _describe(base), path)
            if not value and any(meta.min_length for meta in constraints):
                return self._report(value, "a list with at least one item", path)
            for longest in [meta.max_length for meta in constraints if meta.max_length]:
                if len(value) > longest:
                    return self._report(value, f"a list with at most {longest} items", path)
            return tuple(self._value(item, get_args(base)[0], [*path, index]) for index, item in enumerate(value))
        return self._scalar(value, annotation, path)

    def _scalar(self, value: Any, annotation: Any, path: KeyPath) -> Any:
        try:
            return msgspec.convert(value, annotation)
        except msgspec.ValidationError:
            return self._report(value, _describe(annotation), path, _suggest_value(value, annotation))

    def _report(self, value: Any, description: str, path: KeyPath, hint: str = "") -> None:
        text = json.dumps(value, ensure_ascii=False, default=str)[:SHOWN_VALUE_CHARACTERS]
        self.problems.append(f"{format_path(path)}: {text} is not {description}.{hint}")


def _hint_top_level(key: str) -> str:
    """Explain why a key of the top level is unknown where it stands."""
    types = get_type_hints(Environment, include_extras=True)
    if key not in types or _describe(types[key]) == "a table":
        return ""
    return " It belongs to the top level: move it above the first [section]."


def _hint_misplaced(key: str, table: Any, path: tuple[str, ...] = ()) -> str:
    """Find a missing key of the top level below a section: in TOML, a section goes on until the next one."""
    if not isinstance(table, dict):
        return ""
    if path and key in table:
        section = format_path([*path])
        return f" It stands below [{section}], which makes it a key of that section: move it above the first [section]."
    return next(filter(None, (_hint_misplaced(key, value, (*path, name)) for name, value in table.items())), "")


def _base_type(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return a type without None and constraints, and the constraints."""
    constraints: tuple[Any, ...] = ()
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *metadata = get_args(annotation)
            constraints += tuple(metadata)
        elif get_origin(annotation) in (Union, UnionType):
            [annotation] = [argument for argument in get_args(annotation) if argument is not NoneType]
        else:
            return annotation, constraints


def _suggest_value(value: Any, annotation: Any) -> str:
    """Suggest the most similar of the values that are possible; event types, which no description lists, are listed."""
    base, _ = _base_type(annotation)
    choices = [choice for choice in _choices(base) if isinstance(choice, str)]
    if not choices or not isinstance(value, str):
        return ""
    match = _closest_match(value, choices, VALUE_SIMILARITY)
    return match or ("" if get_origin(base) is Literal else _list_names(choices))


def _choices(base: Any) -> tuple[Any, ...]:
    if get_origin(base) is Literal:
        return get_args(base)
    return tuple(base) if isinstance(base, type) and issubclass(base, Enum) else ()


def _describe(annotation: Any) -> str:
    """Describe a valid value, as in "this must be …"."""
    base, constraints = _base_type(annotation)
    if descriptions := [meta.description for meta in constraints if meta.description]:
        return descriptions[0]
    if choices := _choices(base):
        return "one of " + ", ".join(json.dumps(choice) for choice in choices)
    if get_origin(base) is tuple:
        return f"a list in which each item is {_describe(get_args(base)[0])}"
    if get_origin(base) is dict or (isinstance(base, type) and issubclass(base, msgspec.Struct)):
        return "a table"
    return {bool: "true or false", int: "a whole number", str: "text in quotes"}[base]
