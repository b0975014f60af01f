from collections import Counter
from datetime import UTC, datetime

from aftersend.counting import Row
from aftersend.metrics.emf import documents

NOW = datetime(2026, 3, 14, 10, tzinfo=UTC)


def test_totals_of_a_configuration_set_are_one_document_with_all_its_measures():
    nine, ten = (datetime(2026, 3, 14, hour, tzinfo=UTC) for hour in (9, 10))
    counts = Counter(
        {
            (Row("ses:configuration-set", "newsletter", nine), "send"): 2,
            (Row("ses:configuration-set", "newsletter", ten), "send"): 3,
            (Row("ses:configuration-set", "newsletter", ten), "complaint"): 1,
            (Row("campaign", "spring", ten), "send"): 5,
        }
    )
    [document] = documents(counts, "prod", NOW)
    assert document == {
        "_aws": {
            "Timestamp": 1773482400000,
            "CloudWatchMetrics": [
                {
                    "Namespace": "Aftersend",
                    "Dimensions": [["Environment", "ConfigurationSet"]],
                    "Metrics": [{"Name": "send", "Unit": "Count"}, {"Name": "complaint", "Unit": "Count"}],
                }
            ],
        },
        "Environment": "prod",
        "ConfigurationSet": "newsletter",
        "send": 5,
        "complaint": 1,
    }


def test_where_nothing_was_counted_nothing_is_printed():
    assert list(documents(Counter(), "prod", NOW)) == []
