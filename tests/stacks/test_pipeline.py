from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Match, Template


@pytest.fixture(scope="session")
def pipeline(templates: dict[str, Template]) -> Template:
    return templates["Pipeline"]


@pytest.fixture(scope="session")
def resources(pipeline: Template) -> dict[str, Any]:
    return pipeline.to_json()["Resources"]


def of_type(resources: dict[str, Any], kind: str) -> dict[str, Any]:
    return {name: found["Properties"] for name, found in resources.items() if found["Type"] == kind}


def test_only_ses_may_publish_and_only_for_these_sets_and_identities(pipeline: Template):
    [(_, policy)] = pipeline.find_resources("AWS::SNS::TopicPolicy").items()
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    [allowing] = [statement for statement in statements if statement["Effect"] == "Allow"]
    assert (allowing["Principal"], allowing["Action"]) == ({"Service": "ses.amazonaws.com"}, "sns:Publish")
    names = ("configuration-set/newsletter", "configuration-set/receipts")
    names += ("identity/bookshop.example", "identity/orders.bookshop.example")
    assert allowing["Condition"] == {
        "StringEquals": {
            "AWS:SourceAccount": "222222222222",
            "AWS:SourceArn": [f"arn:aws:ses:eu-west-1:222222222222:{name}" for name in names],
        }
    }


def test_messages_come_to_the_queue_as_ses_wrote_them(pipeline: Template):
    pipeline.has_resource_properties("AWS::SNS::Subscription", {"Protocol": "sqs", "RawMessageDelivery": True})


def test_a_queue_waits_long_enough_for_its_function_and_keeps_what_fails(resources: dict[str, Any]):
    """AWS asks for six times the function's timeout and for at least five receives."""
    queues = of_type(resources, "AWS::SQS::Queue")
    consumed = {name: found for name, found in queues.items() if "RedrivePolicy" in found}
    assert sorted(found["VisibilityTimeout"] for found in consumed.values()) == [6 * 60, 6 * 300]
    assert {found["RedrivePolicy"]["maxReceiveCount"] for found in consumed.values()} == {5}
    assert {found["MessageRetentionPeriod"] for found in queues.values()} == {14 * 24 * 3600}


def test_messages_that_fail_come_back_alone(pipeline: Template):
    pipeline.resource_properties_count_is(
        "AWS::Lambda::EventSourceMapping",
        {
            "BatchSize": 10,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "ScalingConfig": {"MaximumConcurrency": 10},
        },
        2,
    )


def test_the_stream_is_read_from_its_beginning_shard_by_shard_and_loses_nothing(pipeline: Template):
    pipeline.has_resource_properties(
        "AWS::Lambda::EventSourceMapping",
        {
            "StartingPosition": "TRIM_HORIZON",
            "BatchSize": 1000,
            "TumblingWindowInSeconds": 10,
            "ParallelizationFactor": 1,
            "BisectBatchOnFunctionError": True,
            "MaximumRetryAttempts": 10,
            "DestinationConfig": {"OnFailure": {"Destination": Match.any_value()}},
            "FilterCriteria": {"Filters": [{"Pattern": '{"eventName":["INSERT","MODIFY"]}'}]},
        },
    )


def test_objects_are_small_enough_to_be_done_well_within_the_timeout(pipeline: Template):
    pipeline.has_resource_properties(
        "AWS::KinesisFirehose::DeliveryStream",
        {
            "ExtendedS3DestinationConfiguration": {
                "BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 60},
                "CompressionFormat": "GZIP",
                "Prefix": "events/",
                "ErrorOutputPrefix": "firehose-failed/",
            }
        },
    )


def test_only_what_firehose_wrote_triggers_anything(pipeline: Template):
    [(_, found)] = pipeline.find_resources("Custom::S3BucketNotifications").items()
    [queue] = found["Properties"]["NotificationConfiguration"]["QueueConfigurations"]
    assert queue["Filter"] == {"Key": {"FilterRules": [{"Name": "prefix", "Value": "events/"}]}}


def test_functions_are_python_on_arm_and_say_what_they_do(resources: dict[str, Any]):
    ours = {
        name: found
        for name, found in of_type(resources, "AWS::Lambda::Function").items()
        if found["Handler"].startswith("lambdas.")
    }
    assert {found["Handler"] for found in ours.values()} == {
        "lambdas.record_feedback.handler",
        "lambdas.record_archive.handler",
        "lambdas.count_tags.handler",
    }
    assert {(found["Runtime"], *found["Architectures"]) for found in ours.values()} == {("python3.13", "arm64")}
    assert all(found["Description"] and found["LoggingConfig"] for found in ours.values())


def test_logs_have_an_end(resources: dict[str, Any]):
    assert {found["RetentionInDays"] for found in of_type(resources, "AWS::Logs::LogGroup").values()} == {30}


def test_functions_may_do_what_they_do_and_no_more(resources: dict[str, Any]):
    allowed = {
        name.split("ServiceRole")[0].rstrip("0123456789ABCDEF"): {
            action
            for statement in found["PolicyDocument"]["Statement"]
            for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        }
        for name, found in of_type(resources, "AWS::IAM::Policy").items()
        if name.startswith(("Record", "Count"))
    }
    consuming = {
        "sqs:ReceiveMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:GetQueueUrl",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
    }
    recording = {"dynamodb:PutItem", "dynamodb:BatchWriteItem", "dynamodb:Query", "dynamodb:GetItem"}
    assert allowed["RecordFeedback"] == consuming | recording
    assert {action.rstrip("*") for action in allowed["RecordArchive"]} - consuming - recording == {
        "s3:GetObject",
        "s3:GetBucket",
        "s3:List",
        "s3:PutObject",
        "s3:PutObjectLegalHold",
        "s3:PutObjectRetention",
        "s3:PutObjectTagging",
        "s3:PutObjectVersionTagging",
        "s3:Abort",
    }
    assert "dynamodb:UpdateItem" in allowed["CountTags"]
    assert "dynamodb:DeleteItem" not in set().union(*allowed.values())


def test_nothing_but_ses_has_a_name_of_its_own(templates: dict[str, Template]):
    """A physical name would make a replacement collide with what it replaces."""
    names = {
        "TableName",
        "BucketName",
        "QueueName",
        "TopicName",
        "FunctionName",
        "DeliveryStreamName",
        "RoleName",
        "LogGroupName",
    }
    given = {
        (resource["Type"], name)
        for template in templates.values()
        for resource in template.to_json()["Resources"].values()
        for name in names & resource.get("Properties", {}).keys()
        if isinstance(resource["Properties"][name], str)
    }
    assert given == set()


def test_the_stacks_are_deployed_from_what_is_kept_to_what_publishes(stacks: dict[str, cdk.Stack]):
    names = {
        name: {found.stack_name.rpartition("-")[2] for found in stack.dependencies} for name, stack in stacks.items()
    }
    assert names == {
        "State": set(),
        "Pipeline": {"State"},
        "Publishing": {"Pipeline"},
        "Dashboard": {"Pipeline"},
    }
