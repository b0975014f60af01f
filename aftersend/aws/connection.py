"""Connect to a deployed environment with the credentials and the Region that boto3 finds."""

import boto3

from aftersend.aws.deployment import Deployment, LocalRun, Unavailable


def find_deployment(
    name: str, *, account: str | None = None, region: str | None = None, local_run: LocalRun | None = None
) -> Deployment:
    """Find the deployment of an environment, with the credentials and Region that boto3 finds, or in a local run.

    Raises:
        Unavailable: if there is none, or no Region, or the credentials are of another account.
    """
    credentials = ("test", "test") if local_run else ()
    session = boto3.Session(*credentials, region_name=region)
    if session.region_name is None:
        raise Unavailable(
            f"No Region is known for {name}: set AWS_REGION, or run this where environments/{name}.toml is."
        )
    deployment = Deployment(name, session, local_run)
    deployment.read_outputs(account)
    return deployment
