"""Hold docs/operations.md to the alarms: each has its page, which its description names."""

import re
from pathlib import Path

import pytest

from aftersend.config.alarms import (
    ACCOUNT_LIST_ALARMS,
    ALARMS,
    CANARY_ALARMS,
    CHECK_ALARMS,
    COUNT_CHECK_ALARMS,
    RATES_ALARMS,
    RUNBOOK,
    SWEEP_ALARMS,
)
from aftersend.contract import (
    ACCOUNT_LIST_METRICS,
    CANARY_METRICS,
    CHECK_METRICS,
    COUNT_CHECK_METRICS,
    GUARD_WOULD_PAUSE,
    RATES_METRICS,
    SWEEP_METRICS,
)

PROJECT = Path(__file__).parent.parent.parent
TEXT = (PROJECT / RUNBOOK).read_text()
SECTION = TEXT.partition("\n## Alarms\n")[2].partition("\n## ")[0]
PAGES = dict(re.findall(r"^### (\w+)\n(.*?)(?=^### |\Z)", SECTION, re.M | re.S))


def anchor(title: str) -> str:
    """Return the anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


ANCHORS = {anchor(title) for title in re.findall(r"^#+ (.*)$", TEXT, re.M)}


def test_every_alarm_has_its_page_and_no_other_has_one():
    assert list(PAGES) == list(ALARMS)


@pytest.mark.parametrize("name", ALARMS)
def test_page_says_what_the_alarm_means_what_to_look_at_and_what_to_do(name: str):
    headings = re.findall(r"\*\*(What it means|Look at|Do)\*\*", PAGES[name])
    assert headings == ["What it means", "Look at", "Do"]
    assert f"**What it means** ({ALARMS[name].severity})" in PAGES[name]


@pytest.mark.parametrize("name", ALARMS)
def test_description_names_severity_and_page(name: str):
    description = ALARMS[name].description(name)
    page, _, target = description.rpartition(" ")[2].partition("#")
    assert page == RUNBOOK
    assert target in ANCHORS
    assert f"Severity: {ALARMS[name].severity}." in description
    assert len(description) <= 1024, "what CloudWatch takes"


def test_links_within_the_page_lead_somewhere():
    assert set(re.findall(r"\]\(#([\w-]+)\)", TEXT)) <= ANCHORS


def test_alarms_of_the_check_watch_what_it_emits():
    assert set(CHECK_ALARMS) <= set(ALARMS)
    assert set(CHECK_METRICS) == set(CHECK_ALARMS.values())
    assert {name for name, alarm in ALARMS.items() if alarm.is_heartbeat} == {
        "IdentityCheckMissing",
        "AccountListSyncMissing",
        "SweepMissing",
        "RatesMissing",
        "CountCheckMissing",
        "CanarySilent",
    }


def test_alarms_of_the_account_list_watch_what_the_comparison_emits():
    assert set(ACCOUNT_LIST_ALARMS) <= set(ALARMS)
    assert set(ACCOUNT_LIST_ALARMS.values()) == set(ACCOUNT_LIST_METRICS)


def test_alarms_of_the_suppression_list_watch_what_the_sweep_emits():
    assert set(SWEEP_ALARMS) <= set(ALARMS)
    assert set(SWEEP_METRICS) == set(SWEEP_ALARMS.values())


def test_alarms_of_rates_watch_what_is_emitted():
    assert set(RATES_ALARMS) <= set(ALARMS)
    assert {*RATES_ALARMS.values(), GUARD_WOULD_PAUSE} == set(RATES_METRICS)


def test_alarms_of_completeness_and_canary_watch_what_their_functions_emit():
    assert set(COUNT_CHECK_ALARMS) | set(CANARY_ALARMS) <= set(ALARMS)
    assert set(COUNT_CHECK_METRICS) == set(COUNT_CHECK_ALARMS.values())
    assert set(CANARY_METRICS) == set(CANARY_ALARMS.values())


def test_runbook_restores_what_was_changed_outside_the_stacks_by_reverting_drift():
    """CloudFormation changes nothing while the template stays the same."""
    assert "`make deploy ENV=NAME` restores" not in TEXT
    assert "cdk deploy --all --revert-drift" in TEXT
