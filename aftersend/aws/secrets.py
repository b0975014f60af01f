"""Read secrets from AWS Secrets Manager, each once per process: every request costs money."""

from functools import cache

from aftersend.aws.clients import client


@cache
def secret_text(arn: str) -> str:
    return client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
