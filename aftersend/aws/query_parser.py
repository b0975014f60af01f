"""Parse the responses of DynamoDB's Query in a tenth of the time that botocore's parser takes.

A table of 1,000 tag values is made of hundreds of thousands of attributes, and botocore compares each of them with its
model. The counters have texts and numbers alone, which are the same in JSON and in botocore's results.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from botocore.model import Shape
from botocore.parsers import JSONParser, ResponseParserFactory
from botocore.session import Session

OUTPUT = "QueryOutput"
"""The name of the shape in botocore's model."""
COMPONENT = "response_parser_factory"


class QueryParser(JSONParser):
    """Parses successful responses of Query; leaves all others to botocore."""

    def parse(self, response: Mapping[str, Any], shape: Shape) -> Any:
        if shape is None or shape.name != OUTPUT or response["status_code"] != 200:
            return super().parse(response, shape)
        metadata = {"HTTPStatusCode": response["status_code"], "HTTPHeaders": dict(response["headers"])}
        return msgspec.json.decode(response["body"]) | {"ResponseMetadata": metadata}


class _Factory(ResponseParserFactory):
    def create_parser(self, protocol_name: str) -> Any:
        return QueryParser() if protocol_name == "json" else super().create_parser(protocol_name)


def parse_queries_faster(session: Session) -> None:
    """Let the clients that a session creates from now on parse with this module."""
    session.register_component(COMPONENT, _Factory())
