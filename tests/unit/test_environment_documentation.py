"""docs/environments.md has every key and every warning there is, and its smallest environment is one."""

import re
from pathlib import Path

import msgspec

from aftersend.config.environment import (
    ConfigurationSet,
    ContactList,
    ContactTopic,
    Dimension,
    Environment,
    EventDestination,
    Functions,
    Identity,
)
from aftersend.config.lint import findings
from aftersend.config.lint_rules import WARNINGS
from aftersend.config.loader import load
from aftersend.ledger import Retention
from aftersend.suppression import Policy

PAGE = (Path(__file__).parent.parent.parent / "docs" / "environments.md").read_text()
KEYS = PAGE.partition("## The keys")[2].partition("\n## ")[0]

SECTIONS: list[type[msgspec.Struct]] = [
    Environment,
    ConfigurationSet,
    EventDestination,
    Dimension,
    Identity,
    ContactList,
    ContactTopic,
    Retention,
    Policy,
    Functions,
]
TABLES = {"name", "configuration_sets", "identities", "contact_lists", "retention", "suppression", "functions"}
"""Of an environment: its own tables, and its name, which is the file's."""


def test_every_key_stands_in_its_table():
    told = [set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) for section in KEYS.split("\n### ")[1:]]
    known = [set(section.__struct_fields__) - (TABLES if section is Environment else set()) for section in SECTIONS]
    assert told == known


def test_every_warning_stands_in_the_table():
    section = PAGE.partition("## What the linter finds")[2].partition("\n## ")[0]
    assert dict(re.findall(r"^\| `([a-z-]+)` \| ([^|]*) \|$", section, re.MULTILINE)) == WARNINGS


def test_the_smallest_environment_is_sound(tmp_path: Path):
    [smallest, *_] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "smallest.toml").write_text(smallest)
    assert findings(load("smallest", tmp_path)) == []
