"""Make CloudFormation create resources one after another."""

import aws_cdk as cdk
from constructs import IConstruct


class Sequence:
    """Each resource waits for the one before it, and is deleted before it.

    SES accepts one control call per second, all of them together ("Service quotas in Amazon SES"); CloudFormation would
    make as many at once as there are resources.
    """

    def __init__(self) -> None:
        self._latest: cdk.CfnResource | None = None

    def add(self, construct: IConstruct) -> None:
        """Make the resource of a construct depend on the latest one."""
        resource = construct if isinstance(construct, cdk.CfnResource) else construct.node.default_child
        assert isinstance(resource, cdk.CfnResource)
        if self._latest:
            resource.node.add_dependency(self._latest)
        self._latest = resource
