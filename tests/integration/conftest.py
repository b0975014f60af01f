"""One emulator with everything deployed, for all tests; they run one after another and clean up before themselves."""

from collections.abc import Generator

import pytest

from local.pipeline import LocalPipeline, deployed


@pytest.fixture(scope="session")
def pipeline() -> Generator[LocalPipeline]:
    with deployed(seed=1) as found:
        yield found
