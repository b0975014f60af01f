"""Deploy everything to one emulator for all tests. They run one after another; each cleans up before itself."""

import os
from collections.abc import Generator

import pytest

from aftersend.aws.deployment import LOCAL_RUN_VARIABLE
from local.deployment import deployed_pipeline
from local.pipeline import LocalPipeline


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Generator[LocalPipeline]:
    os.environ[LOCAL_RUN_VARIABLE] = str(tmp_path_factory.mktemp("local-run") / "run.json")  # tests run side by side
    with deployed_pipeline(seed=1) as pipeline:
        yield pipeline
