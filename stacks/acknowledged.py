"""What a check of good practice (cdk-nag, AwsSolutions) finds and we mean so, each with its reason."""

import aws_cdk as cdk
from constructs import IConstruct

OF_A_BUCKET = ("Abort*", "DeleteObject*", "GetBucket*", "GetObject*", "List*")
"""The wildcards in what the CDK grants to whoever reads and writes a bucket."""


def acknowledge(construct: IConstruct, reason: str, *findings: str) -> None:
    """Of a construct and all in it; findings are named as cdk-nag does, as in "IAM5[Resource::*]"."""
    for finding in findings:
        found = cdk.Acknowledgment(id=f"AwsSolutions::AwsSolutions-{finding}", reason=reason)
        cdk.Validations.of(construct).acknowledge(found)
