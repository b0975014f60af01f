"""Respond to CloudFormation's requests for custom resources.

Source: "Custom resource response objects" in the AWS CloudFormation user guide.
"""

import json
from collections.abc import Callable
from typing import Any
from urllib.request import Request, urlopen

MAX_REASON_CHARACTERS = 500
"""The whole response may have 4 KB."""

TIMEOUT_SECONDS = 20


def respond(request: dict[str, Any], physical_id: str, act: Callable[[], dict[str, str]]) -> None:
    """Perform a request and send CloudFormation the result, with the attributes that `act` returns.

    An exception becomes a failure with its text: without a response the deployment would hang until its timeout.
    """
    try:
        result: dict[str, Any] = {"Status": "SUCCESS", "Data": act()}
    except Exception as error:  # noqa: BLE001 (CloudFormation must receive every failure)
        result = {"Status": "FAILED", "Reason": f"{type(error).__name__}: {error}"[:MAX_REASON_CHARACTERS]}
    result |= {name: request[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    body = json.dumps(result | {"PhysicalResourceId": physical_id}).encode()
    # The URL is signed for an empty content type.
    put = Request(request["ResponseURL"], body, {"Content-Type": ""}, method="PUT")  # noqa: S310 (CloudFormation's URL)
    urlopen(put, timeout=TIMEOUT_SECONDS).close()  # noqa: S310 (as above)
