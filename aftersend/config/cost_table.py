"""Calculate the cost estimate at several volumes, for the function that shows the costs of the month so far."""

from msgspec.structs import replace

from aftersend.config.cost import parts, price_basis
from aftersend.config.environment import Environment
from aftersend.contract import CostTable

VOLUMES = (0, *(step * 10**power for power in range(3, 9) for step in (1, 2, 5)), 10**9)
"""Messages a month. Between two of them, the estimate is at most 8 % off a straight line (tests/unit/test_cost.py)."""


def cost_table(environment: Environment) -> CostTable:
    """Return the estimates of an environment for VOLUMES, whatever volume it is set to."""
    estimates = [
        {part.name: round(part.dollars, 3) for part in parts(replace(environment, monthly_messages=messages))}
        for messages in VOLUMES
    ]
    names = {name for estimate in estimates for name in estimate}
    return CostTable(
        messages=VOLUMES,
        parts={name: tuple(estimate.get(name, 0.0) for estimate in estimates) for name in sorted(names)},
        basis=price_basis(environment),
    )
