from collections.abc import Generator

import pytest

from tests.world.world import prepared


@pytest.fixture(autouse=True, scope="module")
def the_process_functions_run_in() -> Generator[None]:
    with prepared():
        yield
