from collections import Counter
from datetime import UTC, datetime

from aftersend.counting import Row
from aftersend.metrics import emf_documents

NOW = datetime(2026, 3, 14, 10, tzinfo=UTC)


def test_configuration_set_has_one_document_with_all_its_measures():
    nine, ten = (datetime(2026, 3, 14, hour, tzinfo=UTC) for hour in (9, 10))
    counts = Counter(
        {
            (Row("ses:configuration-set", "newsletter", nine), "send"): 2,
            (Row("ses:configuration-set", "newsletter", ten), "send"): 3,
            (Row("ses:configuration-set", "newsletter", ten), "complaint"): 1,
            (Row("campaign", "spring", ten), "send"): 5,
        }
    )
    [document] = emf_documents(counts, "prod", NOW)
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


def test_counts_that_move_to_another_hour_are_no_new_ones():
    nine, ten = (
        Row("ses:configuration-set", "newsletter", datetime(2026, 3, 14, hour, tzinfo=UTC)) for hour in (9, 10)
    )
    moved = Counter({(nine, "send"): -1, (ten, "send"): 1})
    assert list(emf_documents(moved, "prod", NOW)) == []
    [document] = emf_documents(Counter({**moved, (ten, "send"): 3}), "prod", NOW)
    assert document["send"] == 2
    [document] = emf_documents(Counter({**moved, (nine, "open"): 3}), "prod", NOW)
    assert "send" not in document


def test_empty_counts_have_no_document():
    assert list(emf_documents(Counter(), "prod", NOW)) == []
