"""Find resources that two environments define, though an account and Region has only one of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aftersend.config.toml_file import InvalidToml, display_path, format_path, read_toml

UNIQUE_RESOURCES = {"configuration_sets": "configuration set", "identities": "identity"}
"""Resources whose names are unique in an account and Region, so that only one environment can define them."""


def conflicts(document: dict[str, Any], file: Path) -> Iterator[str]:
    """Report resources that another environment of the same account and Region defines too."""
    for other in sorted(file.parent.glob("*.toml")):
        if other == file:
            continue
        try:
            theirs = read_toml(other)
        except InvalidToml:
            continue  # reported when that file is loaded
        if any(theirs.get(key) != document[key] for key in ("account", "region")):
            continue
        elsewhere = f"{display_path(other)} defines"
        for section, resource in UNIQUE_RESOURCES.items():
            names = theirs.get(section)
            for name in sorted(set(document.get(section, {})) & set(names if isinstance(names, dict) else {})):
                yield (
                    f"{format_path([section, name])}: {elsewhere} this {resource} for the same account and Region too. "
                    "Remove it from one of the two files, or rename it."
                )
        if _synchronizes(document) and _synchronizes(theirs):
            yield (
                f'suppression.account_list: {display_path(other)} has "sync" for the same account and Region too, and '
                "two environments would undo each other's changes of SES's account suppression list. "
                'Set "read" in one of the two files.'
            )
        if document.get("contact_lists") and theirs.get("contact_lists"):
            yield (
                f"contact_lists: {elsewhere} a contact list for the same account and Region too, and SES allows only "
                "one. Remove it from one of the two files."
            )


def _synchronizes(document: dict[str, Any]) -> bool:
    section = document.get("suppression")
    return isinstance(section, dict) and section.get("account_list") == "sync"
