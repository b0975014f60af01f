import re
from pathlib import Path

from aftersend.counting import ALL_MEASURES, DELIVERY_TIMES, OPEN_TIMES
from aftersend.metrics import GROUPS
from aftersend.metrics.summary import UNGROUPED

PAGE = (Path(__file__).parent.parent.parent / "docs" / "counting.md").read_text()


def test_page_lists_every_measure():
    table = PAGE.partition("| measure |")[2].partition("\n\n")[0]
    names = [
        name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1] if "|" in row else "")
    ]
    assert sorted(names) == sorted(ALL_MEASURES)


def test_page_lists_every_metric():
    section = PAGE.partition("## CloudWatch")[2]
    assert all(f"`{group}`" in section for group in GROUPS)


def test_every_measure_is_in_one_group_or_in_none_on_purpose():
    grouped = [measure for measures in GROUPS.values() for measure in measures]
    assert len(grouped) == len(set(grouped))
    assert {*grouped, *UNGROUPED} == {*ALL_MEASURES, *DELIVERY_TIMES.measures, *OPEN_TIMES.measures}


def test_page_has_the_limits_of_times():
    for distribution in (DELIVERY_TIMES, OPEN_TIMES):
        *most, last = [f"{limit:,}" for limit in distribution.limits]
        assert f"{', '.join(most)} and {last}" in " ".join(PAGE.split())
