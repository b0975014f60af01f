"""Deploy everything to one emulator for all tests. They run one after another; each cleans up before itself."""

import os
from collections.abc import Generator
from unittest import mock

import pytest

from aftersend.aws.deployment import LOCAL_RUN_VARIABLE
from aftersend.config.loader import load
from local.deployment import deployed_pipeline
from local.pipeline import LocalPipeline
from local.ses.certificate import write_certificate
from tests.integration.synthesis import synthesize

LONGEST = ("changes", "pipeline", "guard", "doctor", "privacy")
"""Files that take longest: run first, so that two processes end at the same time."""

LAST = "account_list"
"""The file that leaves a thousand suppression entries, with which every reading of the list takes longer."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(item: pytest.Item) -> tuple[bool, int]:
        name = item.path.stem.removeprefix("test_")
        return name == LAST, (*LONGEST, name).index(name)

    items.sort(key=rank)


@pytest.fixture(scope="session", autouse=True)
def enforced_roles(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """Have emulators refuse what the role of a function does not allow. They then need TLS: the policies of our bucket,
    queues and topics deny everything else."""
    certificate, key = write_certificate(tmp_path_factory.mktemp("certificate"))
    emulator = {"AUTH": "true", "USE_SSL": "1", "MINISTACK_SSL_CERT": str(certificate), "MINISTACK_SSL_KEY": str(key)}
    trusting = ("SSL_CERT_FILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
    with mock.patch.dict(os.environ, emulator | dict.fromkeys(trusting, str(certificate))):
        yield


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Generator[LocalPipeline]:
    os.environ[LOCAL_RUN_VARIABLE] = str(tmp_path_factory.mktemp("local-run") / "run.json")  # tests run side by side
    with deployed_pipeline(1, synthesize(load("local"), tmp_path_factory.mktemp("assembly"))) as pipeline:
        yield pipeline
