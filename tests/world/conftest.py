from collections.abc import Generator

import pytest

from tests.world.world import function_process


@pytest.fixture(autouse=True, scope="module")
def process_of_the_functions() -> Generator[None]:
    with function_process():
        yield
