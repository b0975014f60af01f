"""Resource tags, as an environment gives them."""

from collections.abc import Mapping

import aws_cdk as cdk
from constructs import IConstruct


def tag(construct: IConstruct, tags: Mapping[str, str]) -> None:
    """Put tags on a construct and all in it; nearer ones win."""
    for key, value in tags.items():
        cdk.Tags.of(construct).add(key, value)
