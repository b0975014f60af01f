"""Deploy everything to one emulator for all tests. They run one after another; each cleans up before itself."""

from collections.abc import Generator

import pytest

from local.deployment import deployed_pipeline
from local.pipeline import LocalPipeline


@pytest.fixture(scope="session")
def pipeline() -> Generator[LocalPipeline]:
    with deployed_pipeline(seed=1) as pipeline:
        yield pipeline
