"""Add outputs to a stack under exactly the given names."""

import aws_cdk as cdk


def add_outputs(stack: cdk.Stack, **outputs: str) -> None:
    """Add an output to a stack for each value, by its name."""
    for name, value in outputs.items():
        cdk.CfnOutput(stack, name, value=value)
