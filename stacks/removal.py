"""Decide what becomes of stateful resources that are removed from a stack."""

import aws_cdk as cdk

from aftersend.config.environment import Environment


def removal_policy(environment: Environment) -> cdk.RemovalPolicy:
    """Return the removal policy of everything that cannot be made again.

    What is retained outlives its stack, but not a first deployment that is rolled back: then it is empty, and its name
    would be in the way of the next attempt. (Tables with deletion protection stay; their names are not in the way.)
    """
    return cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if environment.retain_state else cdk.RemovalPolicy.DESTROY
