from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Match, Template

from aftersend.config.cost import ALARMS
from lambdas.check_identities import Report
from stacks.identity_check import COUNTED


@pytest.fixture(scope="session")
def pipeline(templates: dict[str, Template]) -> Template:
    return templates["Pipeline"]


@pytest.fixture(scope="session")
def resources(pipeline: Template) -> dict[str, Any]:
    return pipeline.to_json()["Resources"]


def of_type(resources: dict[str, Any], kind: str) -> dict[str, Any]:
    return {name: found["Properties"] for name, found in resources.items() if found["Type"] == kind}


def test_only_ses_may_publish_and_only_for_these_sets_and_identities(pipeline: Template):
    allowing = publishing_allowed(pipeline)["ses.amazonaws.com"]
    assert allowing["Action"] == "sns:Publish"
    names = ("configuration-set/newsletter", "configuration-set/receipts")
    names += ("identity/bookshop.example", "identity/orders.bookshop.example")
    assert allowing["Condition"] == {
        "StringEquals": {
            "AWS:SourceAccount": "222222222222",
            "AWS:SourceArn": [f"arn:aws:ses:eu-west-1:222222222222:{name}" for name in names],
        }
    }


def publishing_allowed(pipeline: Template) -> dict[str, Any]:
    """What topics let whom do."""
    policies = pipeline.find_resources("AWS::SNS::TopicPolicy").values()
    statements = [found for policy in policies for found in policy["Properties"]["PolicyDocument"]["Statement"]]
    return {found["Principal"]["Service"]: found for found in statements if found["Effect"] == "Allow"}


def test_only_alarms_of_this_account_may_alarm(pipeline: Template):
    assert publishing_allowed(pipeline)["cloudwatch.amazonaws.com"]["Condition"] == {
        "StringEquals": {"AWS:SourceAccount": "222222222222"}
    }


def test_topics_are_encrypted_with_a_key_that_lets_those_publish_who_must(pipeline: Template):
    [(key, found)] = pipeline.find_resources("AWS::KMS::Key").items()
    for topic in pipeline.find_resources("AWS::SNS::Topic").values():
        assert topic["Properties"]["KmsMasterKeyId"] == {"Fn::GetAtt": [key, "Arn"]}
    allowed = {
        statement["Principal"]["Service"]: (statement["Action"], statement["Condition"])
        for statement in found["Properties"]["KeyPolicy"]["Statement"]
        if "Service" in statement["Principal"]
    }
    may_publish = (
        ["kms:Decrypt", "kms:GenerateDataKey*"],
        {"StringEquals": {"AWS:SourceAccount": "222222222222"}},
    )
    assert allowed == {"ses.amazonaws.com": may_publish, "cloudwatch.amazonaws.com": may_publish}
    assert found["Properties"]["EnableKeyRotation"] is True


def test_whoever_is_to_be_alarmed_is_subscribed(pipeline: Template):
    pipeline.has_resource_properties(
        "AWS::SNS::Subscription", {"Protocol": "email", "Endpoint": "operations@bookshop.example"}
    )


def test_every_alarm_tells_the_topic_when_it_begins_and_ends_and_what_to_do(templates: dict[str, Template]):
    alarms = [
        found["Properties"]
        for name in ("Pipeline", "Publishing")
        for found in templates[name].find_resources("AWS::CloudWatch::Alarm").values()
    ]
    assert len(alarms) == ALARMS, "as the estimate of the cost counts them"
    for alarm in alarms:
        assert alarm["AlarmActions"] == alarm["OKActions"] != []
        assert alarm["AlarmDescription"]
    assert {alarm.get("MetricName") for alarm in alarms} == {
        "ApproximateNumberOfMessagesVisible",
        "ApproximateAgeOfOldestMessage",
        "IteratorAge",
        "Errors",
        "identities_drifted",
        "identities_failed",
    }


def test_alarms_listen_to_what_the_check_of_identities_counts():
    assert COUNTED.keys() <= set(Report.__struct_fields__)


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
        "Publishing": {"State", "Pipeline"},
        "Dashboard": {"Pipeline"},
    }
