"""The cost that was promised, counted: `python -m benchmarks.cost` shows it."""

from benchmarks.cost import FEEDBACK, MIX, measured, one_bounce


def test_a_thousand_events_cost_what_was_promised():
    costs = measured()
    assert costs.volume.requests <= 45
    assert costs.volume.write_units <= 1250


def test_feedback_costs_what_was_promised():
    feedback, events = measured().feedback, sum(MIX[kind] for kind in FEEDBACK)
    assert feedback.requests <= 5 * events
    assert feedback.write_units <= 4 * events
    assert one_bounce().requests <= 5
    assert one_bounce().write_units <= 4
