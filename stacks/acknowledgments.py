"""Acknowledge findings of cdk-nag (AwsSolutions) that are intended, each with its reason."""

import aws_cdk as cdk
from constructs import IConstruct


def acknowledge(construct: IConstruct, reason: str, *findings: str) -> None:
    """Acknowledge findings of a construct and everything in it, named as cdk-nag does: "IAM5[Resource::*]"."""
    for finding in findings:
        acknowledgment = cdk.Acknowledgment(id=f"AwsSolutions::AwsSolutions-{finding}", reason=reason)
        cdk.Validations.of(construct).acknowledge(acknowledgment)
