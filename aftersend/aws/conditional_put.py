"""Write an item only if a condition holds."""

from typing import Any

from botocore.exceptions import ClientError

from aftersend.aws.clients import error_code


def put_if(dynamodb: Any, **put: Any) -> bool:
    """Put an item, with the parameters of PutItem, and return whether its condition held."""
    try:
        dynamodb.put_item(**put)
    except ClientError as error:
        if error_code(error) != "ConditionalCheckFailedException":
            raise
        return False
    return True
