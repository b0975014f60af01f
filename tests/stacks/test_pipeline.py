from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Match, Template

from aftersend.config.alarms import ALARMS, RATES_ALARMS
from aftersend.contract import (
    ACCOUNT_LIST_METRICS,
    CANARY_METRICS,
    CHECK_METRICS,
    COUNT_CHECK_METRICS,
    FUNCTIONS,
    GUARD_WOULD_PAUSE,
    METRICS_NAMESPACE,
    RATES_METRICS,
    SWEEP_METRICS,
    Variable,
)


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
    """Return the statement that allows each service to publish. Topics of alarms differ in nothing but their name."""
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
        statement["Principal"]["Service"]: (statement["Action"], statement["Resource"], statement.get("Condition"))
        for statement in key["Properties"]["KeyPolicy"]["Statement"]
        if "Service" in statement["Principal"]
    }
    documented = (["kms:Decrypt", "kms:GenerateDataKey*"], "*", None)
    assert allowed == {"ses.amazonaws.com": documented, "cloudwatch.amazonaws.com": documented}
    assert key["Properties"]["EnableKeyRotation"] is True


def subscribed(pipeline: Template) -> dict[str, list[str]]:
    """Return the addresses that are subscribed to each topic."""
    addresses: dict[str, list[str]] = {}
    for resource in pipeline.find_resources("AWS::SNS::Subscription", {"Properties": {"Protocol": "email"}}).values():
        properties = resource["Properties"]
        addresses.setdefault(properties["TopicArn"]["Ref"][:-8], []).append(properties["Endpoint"])
    return addresses


def test_alarm_addresses_are_subscribed_to_both_severities(pipeline: Template):
    everybody = ["operations@bookshop.example"]
    assert subscribed(pipeline) == {"AlarmsPageTopic": everybody, "AlarmsTicketTopic": everybody}


def test_ticket_addresses_are_notified_of_what_can_wait_in_place_of_alarm_addresses(
    full_templates: dict[str, Template],
):
    assert subscribed(full_templates["Pipeline"]) == {
        "AlarmsPageTopic": ["two@operations.example"],
        "AlarmsTicketTopic": ["tickets@operations.example"],
    }


def alarms(templates: dict[str, Template]) -> dict[str, Any]:
    """Return the properties of every alarm by its logical id."""
    groups = [templates[name].find_resources("AWS::CloudWatch::Alarm") for name in ("Pipeline", "Publishing")]
    return {name: resource["Properties"] for resources in groups for name, resource in resources.items()}


def test_alarms_have_the_names_that_the_documentation_gives(templates: dict[str, Template]):
    assert alarms(templates).keys() == ALARMS.keys()


def test_alarm_notifies_the_topic_of_its_severity_when_it_begins_and_ends(templates: dict[str, Template]):
    for name, alarm in alarms(templates).items():
        assert alarm["AlarmActions"] == alarm["OKActions"]
        [topic] = alarm["AlarmActions"]
        assert f"Alarms{ALARMS[name].severity.capitalize()}Topic" in str(topic)


def test_alarm_describes_what_is_wrong_and_names_its_severity_and_its_page(templates: dict[str, Template]):
    for name, alarm in alarms(templates).items():
        description = alarm["AlarmDescription"]
        assert description.startswith(ALARMS[name].problem)
        assert description.endswith(f"Severity: {ALARMS[name].severity}. Read first: docs/operations.md#{name.lower()}")


def test_missing_data_breaches_only_where_every_run_publishes(templates: dict[str, Template]):
    missing = {name: alarm["TreatMissingData"] for name, alarm in alarms(templates).items()}
    assert {name for name, treatment in missing.items() if treatment == "breaching"} == {
        "AccountListSyncMissing",
        "SweepMissing",
        "RatesMissing",
        "IdentityCheckMissing",
        "CountCheckMissing",
        "CanarySilent",
    }
    assert set(missing.values()) == {"breaching", "notBreaching"}


def test_heartbeat_tolerates_one_hour_without_a_run_but_not_two(templates: dict[str, Template]):
    heartbeat = alarms(templates)["IdentityCheckMissing"]
    assert heartbeat["ComparisonOperator"] == "LessThanThreshold"
    assert (heartbeat["Period"], heartbeat["EvaluationPeriods"], heartbeat["Threshold"]) == (3600, 2, 1)


def test_failing_count_is_reported_after_the_first_period(templates: dict[str, Template]):
    failed = alarms(templates)["CountingFailed"]
    assert (failed["MetricName"], failed["Period"], failed["EvaluationPeriods"]) == ("Errors", 300, 1)


def test_quota_is_reported_above_80_percent(templates: dict[str, Template]):
    assert alarms(templates)["QuotaUsed"]["Threshold"] == 80


def test_mass_suppression_is_reported_above_what_the_environment_sets(
    templates: dict[str, Template], full_templates: dict[str, Template]
):
    thresholds = [alarms(each)["MassSuppression"]["Threshold"] for each in (templates, full_templates)]
    assert thresholds == [10, 30]


def test_missing_counts_and_unseen_mail_are_reported_above_what_the_environment_sets(
    full_templates: dict[str, Template],
):
    thresholds = [alarms(full_templates)[name]["Threshold"] for name in ("CountsIncomplete", "MailUnseen")]
    assert thresholds == [7, 50]


def test_every_metric_of_the_environment_as_a_whole_has_an_alarm(templates: dict[str, Template]):
    """Each costs $0.30 a month if it has data in every hour."""
    watched = {
        alarm["MetricName"]
        for alarm in alarms(templates).values()
        if alarm["Namespace"] == METRICS_NAMESPACE and alarm["Period"] >= 900
    }
    metrics = {*CHECK_METRICS, *ACCOUNT_LIST_METRICS, *SWEEP_METRICS, *COUNT_CHECK_METRICS, *CANARY_METRICS}
    assert watched == metrics | {*RATES_METRICS} - {GUARD_WOULD_PAUSE}


def test_alarms_of_the_mappings_of_streams_watch_metrics_that_they_publish(
    pipeline: Template, templates: dict[str, Template]
):
    """Lambda publishes them only of a mapping with `MetricsConfig`."""
    mappings = pipeline.find_resources(
        "AWS::Lambda::EventSourceMapping", {"Properties": {"MetricsConfig": {"Metrics": ["EventCount"]}}}
    )
    assert len(mappings) == 2
    for part in ("Counting", "SuppressionEvents"):
        [name] = [name for name in mappings if name.startswith(part)]
        for end in ("Discarded", "Dropped"):
            [dimension] = alarms(templates)[f"{part}{end}"]["Dimensions"]
            assert dimension == {"Name": "EventSourceMappingUUID", "Value": {"Ref": name}}


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
        {"FunctionResponseTypes": ["ReportBatchItemFailures"], "ScalingConfig": {"MaximumConcurrency": 10}},
        2,
    )


def test_archive_queue_hands_over_one_object_at_a_time(resources: dict[str, Any]):
    """An object may have thousands of events: two of them must not share the function's time."""
    sizes = {
        name[:-8]: mapping["BatchSize"]
        for name, mapping in of_type(resources, "AWS::Lambda::EventSourceMapping").items()
        if "ScalingConfig" in mapping
    }
    assert {size for name, size in sizes.items() if name.startswith("Archive")} == {1}
    assert {size for name, size in sizes.items() if name.startswith("Feedback")} == {10}


def test_message_that_sns_cannot_deliver_waits_in_a_dead_letter_queue(pipeline: Template):
    [subscription] = pipeline.find_resources("AWS::SNS::Subscription", {"Properties": {"Protocol": "sqs"}}).values()
    [queue, _] = subscription["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"]
    url = pipeline.find_outputs("FeedbackSubscriptionDeadLetterQueueUrl")
    assert [output["Value"] for output in url.values()] == [{"Ref": queue}]
    policies = pipeline.find_resources("AWS::SQS::QueuePolicy", {"Properties": {"Queues": [{"Ref": queue}]}}).values()
    statements = [each for policy in policies for each in policy["Properties"]["PolicyDocument"]["Statement"]]
    [allowed] = [each for each in statements if each["Effect"] == "Allow"]
    assert (allowed["Principal"], allowed["Action"]) == ({"Service": "sns.amazonaws.com"}, "sqs:SendMessage")


def test_batch_that_fails_is_retried_until_the_stream_is_about_to_drop_it(pipeline: Template):
    pipeline.has_resource_properties(
        "AWS::Lambda::EventSourceMapping", {"MaximumRetryAttempts": -1, "MaximumRecordAgeInSeconds": 20 * 3600}
    )


def test_stream_is_read_from_its_beginning_in_order_and_without_loss(pipeline: Template):
    pipeline.has_resource_properties(
        "AWS::Lambda::EventSourceMapping",
        {
            "StartingPosition": "TRIM_HORIZON",
            "BatchSize": 4000,
            "MaximumBatchingWindowInSeconds": 110,
            "TumblingWindowInSeconds": 900,
            "ParallelizationFactor": 1,
            "BisectBatchOnFunctionError": True,
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
        for name in ("Pipeline", "Publishing", "Dashboard")
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


def test_shard_may_be_unnamed_only_on_the_emulator(pipeline: Template, local_templates: dict[str, Template]):
    def variables(template: Template) -> list[set[str]]:
        functions = template.find_resources("AWS::Lambda::Function").values()
        return [each["Properties"].get("Environment", {}).get("Variables", {}).keys() for each in functions]

    assert not [names for names in variables(pipeline) if Variable.EMULATED in names]
    assert [names for names in variables(local_templates["Pipeline"]) if Variable.EMULATED in names]


def test_stacks_are_deployed_from_the_state_to_publishing(stacks: dict[str, cdk.Stack]):
    dependencies = {
        name: {each.stack_name.rpartition("-")[2] for each in stack.dependencies} for name, stack in stacks.items()
    }
    assert dependencies == {
        "State": set(),
        "Pipeline": {"State"},
        "Publishing": {"State", "Pipeline"},
        "Dashboard": {"State", "Pipeline"},
    }


def test_rates_are_not_watched_without_configuration_sets(bare_templates: dict[str, Template]):
    template = bare_templates["Pipeline"]
    assert not template.find_resources(
        "AWS::Lambda::Function", {"Properties": {"Handler": "lambdas.watch_rates.handler"}}
    )
    assert template.find_resources("AWS::CloudWatch::Alarm").keys().isdisjoint(RATES_ALARMS)
