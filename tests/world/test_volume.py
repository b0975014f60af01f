from unittest import mock

from aftersend import counting
from tests.world.volume import run_slice
from tests.world.world import function_process


def test_counters_equal_the_oracle_and_metrics_stay_within_their_places():
    with function_process():
        assert run_slice(seed=0, number=1_500) == []


def test_oracle_notices_an_event_that_is_counted_in_another_measure():
    with function_process(), mock.patch.dict(counting.TRANSIENT_MEASURES, MailboxFull="content_refused"):
        assert any("mailbox_full" in line for line in run_slice(seed=1, number=500))
