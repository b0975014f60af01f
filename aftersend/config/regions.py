"""List the Regions and the services they have, from the endpoint data that is part of botocore."""

from functools import cache

REQUIRED_SERVICES = {
    "ses": "SES",
    "firehose": "Firehose",
    "lambda": "Lambda",
    "dynamodb": "DynamoDB",
    "sns": "SNS",
    "sqs": "SQS",
    "s3": "S3",
}
"""Services that every environment needs, by botocore's name."""


@cache
def services_by_region() -> dict[str, set[str]]:
    """Return every Region with those of the required services it has."""
    import botocore.session  # takes half a second, and only the linter needs it

    session = botocore.session.get_session()
    partitions = session.get_data("endpoints")["partitions"]
    services = {region: set[str]() for partition in partitions for region in partition["regions"]}
    for partition in partitions:
        for service in REQUIRED_SERVICES:
            for region in session.get_available_regions(service, partition["partition"]):
                services[region].add(service)
    return services


def missing_services(region: str) -> list[str]:
    """Return the names of the required services that a Region lacks."""
    return [name for service, name in REQUIRED_SERVICES.items() if service not in services_by_region()[region]]
