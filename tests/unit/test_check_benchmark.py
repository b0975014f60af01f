"""Hold the figures of docs/suppression.md to the benchmark that counts them."""

from pathlib import Path

from benchmarks.check import measure_costs

PAGE = (Path(__file__).parent.parent.parent / "docs" / "suppression.md").read_text()


def test_page_has_the_costs_that_the_benchmark_counts():
    rows = [
        f"| {name} | {cost.requests:,} | {cost.read_units:,} | {cost.dollars:.5f} |"
        for name, cost in measure_costs().items()
    ]
    assert "\n".join(rows) in PAGE
