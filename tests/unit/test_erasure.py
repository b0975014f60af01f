from datetime import date

from aftersend.contract import EVENTS_PREFIX, IMPORTS_PREFIX
from aftersend.operations.erasure import remains

TODAY = date(2026, 3, 14)


def test_archive_is_gone_two_days_after_its_rules_say():
    gone_by = {each.place: each.gone_by for each in remains({EVENTS_PREFIX: 430, IMPORTS_PREFIX: 37}, TODAY)}
    assert gone_by["events in the archive"] == date(2027, 5, 20)
    assert gone_by["import jobs of SES's account suppression list"] == date(2026, 4, 22)


def test_objects_without_a_rule_never_expire():
    assert {each.gone_by for each in remains({}, TODAY) if each.place == "quarantined lines"} == {None}


def test_dead_letters_and_backups_are_named():
    assert [each.gone_by for each in remains({}, TODAY)][-3:] == [
        date(2026, 3, 28),
        date(2026, 4, 18),
        date(2026, 3, 15),
    ]
