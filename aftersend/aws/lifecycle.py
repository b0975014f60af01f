"""Read after how many days the archive bucket removes objects."""

from typing import Any

from botocore.exceptions import ClientError

from aftersend.aws.clients import error_code


def days_until_removed(s3: Any, bucket: str) -> dict[str, int]:
    """Return the days after which an object's last version is removed, by prefix; none for those that stay."""
    try:
        rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    except ClientError as error:
        if error_code(error) != "NoSuchLifecycleConfiguration":
            raise
        return {}
    return {
        rule.get("Filter", rule).get("Prefix", ""): rule["Expiration"]["Days"]
        + rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays", 0)
        for rule in rules
        if rule["Status"] == "Enabled" and "Days" in rule.get("Expiration", {})
    }
