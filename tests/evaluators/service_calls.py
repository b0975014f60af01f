"""List the calls that AWS itself makes with the roles of an environment, from what its resources are set up to do."""

from collections.abc import Iterator

from aftersend.contract import EVENTS_PREFIX, FAILED_BATCHES_PREFIX, FIREHOSE_ERRORS_PREFIX
from tests.evaluators.calls import representative_key
from tests.evaluators.iam import Call
from tests.evaluators.templates import FUNCTION, Resource, Templates

RoleCall = tuple[str, Call]
"""The name of a role and a call made with it."""


def service_calls(templates: Templates) -> Iterator[RoleCall]:
    """Yield every call that AWS makes with a role."""
    yield from _logging(templates)
    yield from _polling(templates)
    yield from _archiving(templates)
    yield from _publishing(templates)
    yield from _announcing(templates)


def role_of(function: Resource, templates: Templates) -> str:
    return templates.by_arn(function.properties["Role"]).name


def _logging(templates: Templates) -> Iterator[RoleCall]:
    """Every function writes a log ("Lambda execution role": AWSLambdaBasicExecutionRole)."""
    for function in templates.of_type(FUNCTION):
        for action in ("CreateLogGroup", "CreateLogStream", "PutLogEvents"):
            yield role_of(function, templates), Call(f"logs:{action}", f"arn:aws:logs:::log-group:{function.name}")


def _polling(templates: Templates) -> Iterator[RoleCall]:
    """Lambda reads queues and streams, and stores the batches that failed.

    Source: "Execution role permissions" of both event sources, and "Retain discarded records for a DynamoDB event
    source", in the Lambda developer guide.
    """
    functions = {function.name: function for function in templates.of_type(FUNCTION)}
    for mapping in templates.of_type("AWS::Lambda::EventSourceMapping"):
        role = role_of(functions[mapping.properties["FunctionName"]], templates)
        source = mapping.properties["EventSourceArn"]
        if ":sqs:" in source:
            actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
        else:
            actions = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
            yield role, Call("dynamodb:ListStreams", "*")
        yield from ((role, Call(action, source)) for action in actions)
        bucket = mapping.properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        if bucket:
            yield role, Call("s3:PutObject", f"{bucket}/{representative_key(FAILED_BATCHES_PREFIX)}")
            yield role, Call("s3:ListBucket", bucket)


def _archiving(templates: Templates) -> Iterator[RoleCall]:
    """Firehose writes objects, in parts where they are large, and a log ("Grant Firehose access to an Amazon S3
    destination" in the Firehose developer guide)."""
    for stream in templates.of_type("AWS::KinesisFirehose::DeliveryStream"):
        destination = stream.properties["ExtendedS3DestinationConfiguration"]
        role, bucket = templates.by_arn(destination["RoleARN"]).name, destination["BucketARN"]
        for action in ("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"):
            yield role, Call(action, bucket)
        for prefix in (EVENTS_PREFIX, FIREHOSE_ERRORS_PREFIX):
            for action in ("s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"):
                yield role, Call(action, f"{bucket}/{representative_key(prefix)}")
        log_group = templates.by_name(destination["CloudWatchLoggingOptions"]["LogGroupName"])
        yield role, Call("logs:PutLogEvents", log_group.arn.replace("*", "log-stream:S3Delivery"))


def _publishing(templates: Templates) -> Iterator[RoleCall]:
    """SES writes events to Firehose ("Set up an Amazon Data Firehose event destination" in the SES developer guide)."""
    for destination in templates.of_type("AWS::SES::ConfigurationSetEventDestination"):
        firehose = destination.properties["EventDestination"].get("KinesisFirehoseDestination")
        if firehose:
            role = templates.by_arn(firehose["IAMRoleARN"]).name
            yield role, Call("firehose:PutRecordBatch", firehose["DeliveryStreamARN"])


def _announcing(templates: Templates) -> Iterator[RoleCall]:
    """Add our notification to those of a bucket of another stack, as the CDK's own function does."""
    for notifications in templates.of_type("Custom::S3BucketNotifications"):
        function = templates.by_arn(notifications.properties["ServiceToken"])
        bucket = templates.by_name(notifications.properties["BucketName"])
        for action in ("s3:GetBucketNotification", "s3:PutBucketNotification"):
            yield role_of(function, templates), Call(action, bucket.arn)
