"""Tag resources with the tags of an environment."""

from collections.abc import Mapping

import aws_cdk as cdk
from constructs import IConstruct


def tag(construct: IConstruct, tags: Mapping[str, str]) -> None:
    """Tag a construct and everything in it. Where tags of a construct inside have the same key, those win."""
    for key, value in tags.items():
        cdk.Tags.of(construct).add(key, value)
