from hashlib import sha256

import pytest

from lambda_fn.contract.runtime import SETTINGS_METADATA
from lambda_fn.settings import parse_json, to_json
from stacks.bundling import bundle_digest
from tests.template import configurations
from tests.template.synthesis import Resource, logical_id, only, plain, resources, synthesize, template

FUNCTION = "AWS::Lambda::Function"
VERSION = "AWS::Lambda::Version"


def function(name: str) -> Resource:
    return only(name, FUNCTION, "Refresher")


def variables(name: str) -> dict[str, str]:
    found: dict[str, str] = function(name)["Environment"]["Variables"]
    return found


@pytest.mark.parametrize("name", configurations.NAMES)
def test_the_code_of_the_function_and_its_metadata_have_the_settings(name: str) -> None:
    (resource,) = (r for key, r in resources(name, FUNCTION).items() if key.startswith("Refresher"))
    settings = resource["Metadata"][SETTINGS_METADATA]
    assert parse_json(settings, "the metadata") == configurations.settings(name)
    named = sha256(bundle_digest(settings).encode()).hexdigest()  # CDK names the asset so
    assert resource["Properties"]["Code"]["S3Key"] == f"{named}.zip"


@pytest.mark.parametrize("name", configurations.NAMES)
def test_the_environment_holds_only_names_and_the_workload_digest(name: str) -> None:
    others = dict(variables(name))
    digest = others.pop("FRONTDOOR_WORKLOAD_SHA256", None)
    assert others == {"POWERTOOLS_SERVICE_NAME": "ecr-frontdoor", "POWERTOOLS_METRICS_NAMESPACE": "EcrFrontdoor"}
    assert (digest is None) == (name == "external")


def test_the_function_is_python_3_14_on_arm64_with_the_documented_handler() -> None:
    found = function("public")
    assert (found["Runtime"], found["Architectures"], found["Handler"]) == (
        "python3.14",
        ["arm64"],
        "lambda_fn.handler.handler",
    )


@pytest.mark.parametrize(("name", "seconds"), [("public", 300 + 120), ("several", 855)])
def test_a_run_may_take_two_minutes_longer_than_the_wait_for_the_rollout(name: str, seconds: int) -> None:
    """The longest waits leave less, because a deployment waits for the run."""
    assert function(name)["Timeout"] == seconds


def test_concurrency_is_not_reserved() -> None:
    assert "ReservedConcurrentExecutions" not in function("public")


@pytest.mark.parametrize(("name", "days"), [("public", 90), ("several", 7)])
def test_the_log_is_json_with_the_retention_of_the_settings_and_is_retained(name: str, days: int) -> None:
    log = logical_id(name, "AWS::Logs::LogGroup", "Log")
    group = resources(name, "AWS::Logs::LogGroup")[log]
    assert function(name)["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": {"Ref": log}}
    assert group["Properties"] == {"RetentionInDays": days}
    assert group["DeletionPolicy"] == "Retain"


def test_a_run_that_failed_three_times_goes_to_the_dead_letter_queue() -> None:
    queue = logical_id("public", "AWS::SQS::Queue", "Failures")
    assert only("public", "AWS::Lambda::EventInvokeConfig") == {
        "FunctionName": {"Ref": logical_id("public", FUNCTION, "Refresher")},
        "Qualifier": "$LATEST",
        "MaximumRetryAttempts": 2,
        "MaximumEventAgeInSeconds": 3600,
        "DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": [queue, "Arn"]}}},
    }


def test_the_dead_letter_queue_is_encrypted_keeps_messages_two_weeks_and_requires_tls() -> None:
    queue = logical_id("public", "AWS::SQS::Queue", "Failures")
    failures = only("public", "AWS::SQS::Queue", "Failures")
    assert failures == {"MessageRetentionPeriod": 14 * 86400, "SqsManagedSseEnabled": True}
    (statement,) = only("public", "AWS::SQS::QueuePolicy", "Failures")["PolicyDocument"]["Statement"]
    assert statement == {
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "sqs:*",
        "Resource": {"Fn::GetAtt": [queue, "Arn"]},
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def test_settings_of_any_size_are_deployed_and_each_change_of_them_causes_a_first_run() -> None:
    """Lambda's environment variables hold 4,096 bytes; neither the charts nor they have the period."""
    large = configurations.text("ingress") + f'"example.net/note" = "{"x" * 10_000}"\n'
    found = [
        synthesize(configurations.parse(f"{large}\n[refresh]\nperiod_minutes = {minutes}\n"))["Resources"]
        for minutes in (120, 180)
    ]
    for kind in (VERSION, "Custom::Trigger"):
        (one,), (other,) = ([key for key, r in stack.items() if r["Type"] == kind] for stack in found)
        assert one != other, kind
    assert len(to_json(configurations.parse(large))) > 10_000


def test_the_outputs_name_the_function_and_a_command_that_tests_it() -> None:
    name = f"${{{logical_id('public', FUNCTION, 'Refresher')}}}"
    outputs = {key: plain(output["Value"]) for key, output in template("public")["Outputs"].items()}
    assert outputs == {
        "FunctionName": name,
        "WatcherName": f"${{{logical_id('public', FUNCTION, 'Watcher')}}}",
        "TestInvoke": f"aws lambda invoke --region ap-southeast-2 --function-name {name} --cli-read-timeout 900 "
        "--cli-binary-format raw-in-base64-out --payload '{\"dry_run\": true}' /dev/stdout",
    }
