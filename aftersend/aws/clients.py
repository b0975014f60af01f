"""Create the AWS clients, one per service and process. Region, credentials and endpoint are boto3's defaults."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


@cache
def client(service: str) -> Any:
    """Return the client of a service. It retries throttled requests and lost connections."""
    return boto3.client(
        service,
        config=Config(
            retries={"mode": "standard", "total_max_attempts": 6},
            connect_timeout=3,
            read_timeout=20,
            parameter_validation=False,  # our requests are built in one place each; checking them costs half the time
        ),
    )


def error_code(error: ClientError) -> str:
    """Return the code of an error response, or an empty string."""
    return error.response.get("Error", {}).get("Code", "")
