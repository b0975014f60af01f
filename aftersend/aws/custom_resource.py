"""Answering CloudFormation: it waits for an answer of a custom resource at an address, up to its timeout.

Source: "Custom resource response objects" in the AWS CloudFormation user guide.
"""

import json
from collections.abc import Callable
from typing import Any
from urllib.request import Request, urlopen

REASON_CHARACTERS = 500
"""The whole answer may have 4 KB."""


def respond(request: dict[str, Any], physical_id: str, act: Callable[[], dict[str, str]]) -> None:
    """Do what a request asks for and tell CloudFormation how it went, with the attributes `act` gives. An exception
    becomes a failure with its text: without an answer the deployment would hang until the timeout."""
    outcome: dict[str, Any] = {"Status": "SUCCESS"}
    try:
        outcome["Data"] = act()
    except Exception as error:  # noqa: BLE001 (whatever it is, CloudFormation must hear of it)
        outcome = {"Status": "FAILED", "Reason": f"{type(error).__name__}: {error}"[:REASON_CHARACTERS]}
    answer = outcome | {
        "PhysicalResourceId": physical_id,
        **{name: request[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    # The address is signed for an empty content type.
    put = Request(request["ResponseURL"], json.dumps(answer).encode(), {"Content-Type": ""}, method="PUT")  # noqa: S310 (CloudFormation's address)
    urlopen(put, timeout=20).close()  # noqa: S310 (as above)
