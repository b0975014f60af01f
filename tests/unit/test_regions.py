import subprocess
import sys

import pytest

from aftersend.config.regions import missing_services


@pytest.mark.parametrize("region", ["us-east-1", "ap-southeast-2", "us-gov-west-1", "eusc-de-east-1"])
def test_region_of_any_partition_can_have_all_services(region: str):
    assert missing_services(region) == []


def test_endpoint_data_is_loaded_only_by_the_linter():
    """It takes half a second, which `aftersend --help` must not wait for."""
    code = "import sys, aftersend.config; sys.exit('botocore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
