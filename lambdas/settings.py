"""What the stacks tell the functions: the only place that reads the process's environment variables."""

import os
from typing import TypeVar

import msgspec

Setting = TypeVar("Setting")


class MissingSetting(Exception):
    """An environment variable is missing or holds something else than it should."""


def text_setting(name: str) -> str:
    """The environment variable of that name.

    Raises:
        MissingSetting: by the variable's name; there are no silent defaults.
    """
    try:
        return os.environ[name]
    except KeyError:
        raise MissingSetting(f"The environment variable {name} is not set.") from None


def setting(name: str, of: type[Setting]) -> Setting:
    """The environment variable of that name, which holds JSON.

    Raises:
        MissingSetting: by the variable's name, also where it holds something else.
    """
    try:
        return msgspec.json.decode(text_setting(name), type=of)
    except msgspec.DecodeError as error:
        raise MissingSetting(f"The environment variable {name} is no {of.__name__}: {error}") from error
