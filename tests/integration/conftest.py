"""One emulator with everything deployed, for all tests; they run one after another and clean up before themselves."""

import os
from collections.abc import Generator

import pytest

from aftersend.aws.deployment import LOCAL_RUN_VARIABLE
from local.pipeline import LocalPipeline, deployed


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Generator[LocalPipeline]:
    os.environ[LOCAL_RUN_VARIABLE] = str(tmp_path_factory.mktemp("local-run") / "run.json")  # tests run side by side
    with deployed(seed=1) as found:
        yield found
