from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Match, Template

from aftersend.config.cost import ALARMS
from aftersend.contract import FUNCTIONS
from lambdas.check_identities import Report
from stacks.identity_alarms import REPORTED


@pytest.fixture(scope="session")
def pipeline(templates: dict[str, Template]) -> Template:
    return templates["Pipeline"]


@pytest.fixture(scope="session")
def resources(pipeline: Template) -> dict[str, Any]:
    return pipeline.to_json()["Resources"]


def of_type(resources: dict[str, Any], resource_type: str) -> dict[str, Any]:
    return {name: each["Properties"] for name, each in resources.items() if each["Type"] == resource_type}


def test_feedback_topic_accepts_only_ses_for_these_sets_and_identities(pipeline: Template):
    statement = publishers(pipeline)["ses.amazonaws.com"]
    assert statement["Action"] == "sns:Publish"
    names = ("configuration-set/newsletter", "configuration-set/receipts")
    names += ("identity/bookshop.example", "identity/orders.bookshop.example")
    assert statement["Condition"] == {
        "StringEquals": {
            "AWS:SourceAccount": "222222222222",
            "AWS:SourceArn": [f"arn:aws:ses:eu-west-1:222222222222:{name}" for name in names],
        }
    }


def publishers(pipeline: Template) -> dict[str, Any]:
    """Return the statement that allows each service to publish."""
    policies = pipeline.find_resources("AWS::SNS::TopicPolicy").values()
    statements = [each for policy in policies for each in policy["Properties"]["PolicyDocument"]["Statement"]]
    return {each["Principal"]["Service"]: each for each in statements if each["Effect"] == "Allow"}


def test_alarm_topic_accepts_only_alarms_of_this_account(pipeline: Template):
    assert publishers(pipeline)["cloudwatch.amazonaws.com"]["Condition"] == {
        "StringEquals": {"AWS:SourceAccount": "222222222222"}
    }


def test_topics_are_encrypted_with_a_key_that_their_publishers_may_use(pipeline: Template):
    [(name, key)] = pipeline.find_resources("AWS::KMS::Key").items()
    for topic in pipeline.find_resources("AWS::SNS::Topic").values():
        assert topic["Properties"]["KmsMasterKeyId"] == {"Fn::GetAtt": [name, "Arn"]}
    allowed = {
        statement["Principal"]["Service"]: (statement["Action"], statement["Condition"])
        for statement in key["Properties"]["KeyPolicy"]["Statement"]
        if "Service" in statement["Principal"]
    }
    may_publish = (
        ["kms:Decrypt", "kms:GenerateDataKey*"],
        {"StringEquals": {"AWS:SourceAccount": "222222222222"}},
    )
    assert allowed == {"ses.amazonaws.com": may_publish, "cloudwatch.amazonaws.com": may_publish}
    assert key["Properties"]["EnableKeyRotation"] is True


def test_alarm_addresses_are_subscribed(pipeline: Template):
    pipeline.has_resource_properties(
        "AWS::SNS::Subscription", {"Protocol": "email", "Endpoint": "operations@bookshop.example"}
    )


def alarms(templates: dict[str, Template]) -> dict[str, Any]:
    """Return the properties of every alarm by its logical id."""
    groups = [templates[name].find_resources("AWS::CloudWatch::Alarm") for name in ("Pipeline", "Publishing")]
    return {name: resource["Properties"] for resources in groups for name, resource in resources.items()}


def test_alarms_have_the_names_that_the_documentation_gives(templates: dict[str, Template]):
    assert alarms(templates).keys() == {
        "FeedbackDeadLetters",
        "FeedbackLate",
        "ArchiveDeadLetters",
        "ArchiveLate",
        "CountingLate",
        "CountingFailed",
        "IdentitiesDrifted",
        "IdentitiesFailed",
        "IdentityCheckFailed",
    }
    assert len(alarms(templates)) == ALARMS, "as the cost estimate counts them"


def test_alarm_notifies_when_it_begins_and_ends_and_describes_what_to_do(templates: dict[str, Template]):
    for alarm in alarms(templates).values():
        assert alarm["AlarmActions"] == alarm["OKActions"] != []
        assert "first" in str(alarm["AlarmDescription"])


def test_alarms_watch_every_queue_and_function(templates: dict[str, Template]):
    assert {alarm["MetricName"] for alarm in alarms(templates).values()} == {
        "ApproximateNumberOfMessagesVisible",
        "ApproximateAgeOfOldestMessage",
        "IteratorAge",
        "Errors",
        "identities_drifted",
        "identities_failed",
    }


def test_alarms_watch_metrics_that_check_identities_reports():
    assert {metric for metric, _ in REPORTED.values()} <= set(Report.__struct_fields__)


def test_messages_arrive_in_the_queue_as_ses_wrote_them(pipeline: Template):
    pipeline.has_resource_properties("AWS::SNS::Subscription", {"Protocol": "sqs", "RawMessageDelivery": True})


def test_queue_waits_long_enough_for_its_function_and_has_a_dead_letter_queue(resources: dict[str, Any]):
    """AWS recommends six times the function's timeout and at least five receives."""
    queues = of_type(resources, "AWS::SQS::Queue").values()
    consumed = [queue for queue in queues if "RedrivePolicy" in queue]
    assert sorted(queue["VisibilityTimeout"] for queue in consumed) == [6 * 60, 6 * 300]
    assert {queue["RedrivePolicy"]["maxReceiveCount"] for queue in consumed} == {5}
    assert {queue["MessageRetentionPeriod"] for queue in queues} == {14 * 24 * 3600}


def test_failed_messages_are_delivered_again_without_the_others(pipeline: Template):
    pipeline.resource_properties_count_is(
        "AWS::Lambda::EventSourceMapping",
        {
            "BatchSize": 10,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "ScalingConfig": {"MaximumConcurrency": 10},
        },
        2,
    )


def test_stream_is_read_from_its_beginning_in_order_and_without_loss(pipeline: Template):
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


def test_objects_are_small_enough_to_be_recorded_well_within_the_timeout(pipeline: Template):
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


def test_only_objects_of_firehose_are_announced(pipeline: Template):
    [resource] = pipeline.find_resources("Custom::S3BucketNotifications").values()
    [queue] = resource["Properties"]["NotificationConfiguration"]["QueueConfigurations"]
    assert queue["Filter"] == {"Key": {"FilterRules": [{"Name": "prefix", "Value": "events/"}]}}


def handler_functions(templates: dict[str, Template]) -> dict[str, Any]:
    """Return the properties of every function by the name of its file, without those that the CDK adds."""
    properties = [
        resource["Properties"]
        for name in ("Pipeline", "Publishing")
        for resource in templates[name].find_resources("AWS::Lambda::Function").values()
    ]
    prefix, suffix = "lambdas.", ".handler"
    ours = [each for each in properties if each["Handler"].startswith(prefix)]
    return {each["Handler"].removeprefix(prefix).removesuffix(suffix): each for each in ours}


def test_functions_have_the_size_of_the_contract(templates: dict[str, Template]):
    functions = handler_functions(templates)
    assert {name: (each["MemorySize"], each["Timeout"]) for name, each in functions.items()} == FUNCTIONS


def test_functions_are_python_on_arm_with_a_description_and_a_log_group(templates: dict[str, Template]):
    functions = handler_functions(templates).values()
    assert {(each["Runtime"], *each["Architectures"]) for each in functions} == {("python3.13", "arm64")}
    assert all(each["Description"] and each["LoggingConfig"] for each in functions)


def test_logs_expire(resources: dict[str, Any]):
    assert {group["RetentionInDays"] for group in of_type(resources, "AWS::Logs::LogGroup").values()} == {30}


def test_only_resources_of_ses_have_a_physical_name(templates: dict[str, Template]):
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


def test_stacks_are_deployed_from_the_state_to_publishing(stacks: dict[str, cdk.Stack]):
    dependencies = {
        name: {each.stack_name.rpartition("-")[2] for each in stack.dependencies} for name, stack in stacks.items()
    }
    assert dependencies == {
        "State": set(),
        "Pipeline": {"State"},
        "Publishing": {"State", "Pipeline"},
        "Dashboard": {"Pipeline"},
    }
