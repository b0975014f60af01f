"""Create the AWS clients, one per service and process. Region, credentials and endpoint are the SDK's defaults.

Made with botocore alone: boto3 would also import what manages transfers to S3. Without the loader below, botocore
would look through the folders of all services at every cold start, and decode their models in four times the time.
"""

import gzip
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.loaders import JSONFileLoader, Loader
from botocore.session import Session, get_session

Service = Literal["cloudwatch", "dynamodb", "events", "s3", "secretsmanager", "ses", "sesv2"]

PACE_SECONDS = 1.0
"""SES accepts one call per second of everything but sending ("Service quotas in Amazon SES"). The local SES accepts any
number."""

USER_AGENT = "aftersend"
"""botocore composes its own anew for each request, which takes a seventh of the request's time."""

CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 6},
    connect_timeout=3,
    read_timeout=20,
    user_agent=USER_AGENT,
    parameter_validation=False,  # our requests are built in one place each; checking them costs half the time
)


class ModelFiles(JSONFileLoader):
    """Decodes the files of service models, compressed or not."""

    def load_file(self, file_path: str) -> Any:
        """Return the content of a file whose extension is left out, or None."""
        for extension, decompress in (".json", bytes), (".json.gz", gzip.decompress):
            file = Path(file_path + extension)
            if file.is_file():
                return msgspec.json.decode(decompress(file.read_bytes()))
        return None


class ModelLoader(Loader):
    """Finds the models of the services above."""

    def list_available_services(self, type_name: str) -> list[str]:
        return list(get_args(Service))


@cache
def client(service: Service) -> Any:
    """Return the client of a service. It retries throttled requests and lost connections."""
    return _session().create_client(service, config=CONFIG)


@cache
def _session() -> Session:
    session = get_session()
    session.register_component("data_loader", ModelLoader(file_loader=ModelFiles()))
    return session


def error_code(error: ClientError) -> str:
    """Return the code of an error response, or an empty string."""
    return error.response.get("Error", {}).get("Code", "")
