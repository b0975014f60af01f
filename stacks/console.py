"""Link to the AWS console of a Region's partition."""

import aws_cdk as cdk

DOMAINS = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}
"""Where a partition has its console; elsewhere it is DEFAULT_DOMAIN."""

DEFAULT_DOMAIN = "console.aws.amazon.com"


def console_url(stack: cdk.Stack, path: str) -> str:
    """Return the address of a page of the console, in the Region of a stack."""
    return f"https://{stack.region}.{DOMAINS.get(stack.partition, DEFAULT_DOMAIN)}/{path}"
