"""Hold DynamoDB's cost to what was promised; `python -m benchmarks.cost` shows it."""

from benchmarks.cost import FEEDBACK, MIX, measure_costs, one_bounce


def test_thousand_events_cost_what_was_promised():
    costs = measure_costs()
    assert costs.volume.requests <= 45
    assert costs.volume.write_units <= 1250


def test_feedback_costs_what_was_promised():
    feedback, events = measure_costs().feedback, sum(MIX[kind] for kind in FEEDBACK)
    assert feedback.requests <= 5 * events
    assert feedback.write_units <= 4 * events
    assert one_bounce().requests <= 5
    assert one_bounce().write_units <= 4
