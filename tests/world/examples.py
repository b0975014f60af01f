"""Give property tests their seeds."""

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

SEEDS = st.integers(0, 2**32)

reproducible = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
)
"""The same cases every time; `make chaos` runs others, as many as you like. A smaller seed is no smaller case, so
failures are not shrunk: the seed is printed, and `make chaos SEED=…` repeats it."""
