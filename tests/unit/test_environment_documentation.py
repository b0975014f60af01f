"""Hold docs/environments.md to the code: every key, every warning, and a valid smallest environment."""

import re
from pathlib import Path

import msgspec
import pytest

from aftersend.config.environment import (
    Canary,
    ConfigurationSet,
    ContactList,
    ContactTopic,
    Dimension,
    Environment,
    EventDestination,
    ExistingState,
    Functions,
    Identity,
    SuppressionEvents,
)
from aftersend.config.lint import findings
from aftersend.config.lint_rules import WARNINGS
from aftersend.config.loader import load
from aftersend.contract import (
    ACCOUNT_LIST_METRICS,
    CANARY_METRICS,
    CHECK_METRICS,
    COUNT_CHECK_METRICS,
    RATE_METRICS,
    RATES_METRICS,
    SWEEP_METRICS,
)
from aftersend.metrics.reputation import Reputation
from aftersend.retention import Retention
from aftersend.suppression import Policy

PAGE = (Path(__file__).parent.parent.parent / "docs" / "environments.md").read_text()
KEYS = PAGE.partition("## Keys")[2].partition("\n## ")[0]

SECTIONS: list[type[msgspec.Struct]] = [
    Environment,
    ConfigurationSet,
    EventDestination,
    Dimension,
    Identity,
    ContactList,
    ContactTopic,
    ExistingState,
    Retention,
    Policy,
    Reputation,
    SuppressionEvents,
    Canary,
    Functions,
]
TABLES = {"name", "configuration_sets", "identities", "contact_lists", "existing_state"}
TABLES |= {"retention", "suppression", "reputation", "suppression_events", "canary", "functions"}
"""Fields of an environment that are not top-level keys: tables of their own, and the name, which is the file's."""


def test_page_documents_every_key_in_its_table():
    documented = [set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) for section in KEYS.split("\n### ")[1:]]
    expected = [set(section.__struct_fields__) - (TABLES if section is Environment else set()) for section in SECTIONS]
    assert documented == expected


def test_page_documents_every_warning():
    section = PAGE.partition("## Findings of the linter")[2].partition("\n## ")[0]
    assert dict(re.findall(r"^\| `([a-z-]+)` \| ([^|]*) \|$", section, re.MULTILINE)) == WARNINGS


def test_page_documents_every_metric_of_the_hourly_check():
    section = PAGE.partition("## The hourly check")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == [*CHECK_METRICS]


def test_smallest_environment_has_no_findings(tmp_path: Path):
    [smallest, *_] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "smallest.toml").write_text(smallest)
    assert findings(load("smallest", tmp_path)) == []


def test_page_documents_every_metric_of_the_account_list_in_order():
    section = PAGE.partition("## The account suppression list")[2].partition("\n## ")[0]
    emitted = section.partition("Each run emits")[2].partition("| field |")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", emitted, re.MULTILINE)) == ACCOUNT_LIST_METRICS


@pytest.mark.parametrize(
    ("heading", "metrics"),
    [("Sweeps", SWEEP_METRICS), ("Completeness", COUNT_CHECK_METRICS), ("The canary", CANARY_METRICS)],
)
def test_page_documents_every_metric_of_hourly_functions_in_order(heading: str, metrics: tuple[str, ...]):
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == metrics


def test_page_documents_every_metric_of_rates_in_order():
    page = (Path(__file__).parent.parent.parent / "docs" / "reputation.md").read_text()
    section = page.partition("## Metrics")[2].partition("\n## ")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == RATES_METRICS + RATE_METRICS
