"""Decide what becomes of stateful resources that are removed from a stack."""

import aws_cdk as cdk

from aftersend.config.environment import Environment


def removal_policy(environment: Environment) -> cdk.RemovalPolicy:
    """Return the removal policy of everything that cannot be made again."""
    return cdk.RemovalPolicy.RETAIN if environment.retain_state else cdk.RemovalPolicy.DESTROY
