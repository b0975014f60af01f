"""Decide whether stateful resources are retained when they are removed from a stack."""

import aws_cdk as cdk

from aftersend.config import Environment


def removal_policy(environment: Environment) -> cdk.RemovalPolicy:
    """Return the removal policy of stateful resources.

    A retained resource outlives its stack, but not a first deployment that is rolled back: it is still empty then, and
    its name would conflict with the next attempt.
    """
    return cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if environment.retain_state else cdk.RemovalPolicy.DESTROY
