"""Read the functions' settings: the only place that reads environment variables of the process."""

import os
from typing import TypeVar

import msgspec

from aftersend.contract import Variable

Setting = TypeVar("Setting")


class InvalidSetting(Exception):
    """An environment variable is missing or does not hold what it should."""


def text_setting(variable: Variable) -> str:
    """Return the value of an environment variable.

    Raises:
        InvalidSetting: if it is not set; there are no silent defaults.
    """
    try:
        return os.environ[variable]
    except KeyError:
        raise InvalidSetting(f"The environment variable {variable} is not set.") from None


def is_set(variable: Variable) -> bool:
    """Return whether an environment variable is set, whatever its value."""
    return variable in os.environ


def setting(variable: Variable, value_type: type[Setting]) -> Setting:
    """Decode the JSON value of an environment variable.

    Raises:
        InvalidSetting: if it is not set or holds another type.
    """
    try:
        return msgspec.json.decode(text_setting(variable), type=value_type)
    except msgspec.DecodeError as error:
        raise InvalidSetting(
            f"The environment variable {variable} does not hold a JSON {value_type.__name__}: {error}"
        ) from error
