"""`encryption = "stack"`: one key for the logs, the queues and the topic, and the principals that may use it."""

from typing import Any

from tests.template import configurations
from tests.template.synthesis import logical_id, only, plain, readable, resources, role_statements, synthesize

KEY = "AWS::KMS::Key"


def key_statements() -> dict[str, Any]:
    statements = only("guarded", KEY)["KeyPolicy"]["Statement"]
    return {statement.get("Sid", ""): readable(statement) for statement in statements}


def test_without_encryption_by_the_stack_there_is_no_key() -> None:
    assert not resources("public", KEY)
    assert not [s for _, s in role_statements("public") if "kms:" in str(s["Action"])]


def test_logs_queues_and_topic_are_encrypted_with_the_key() -> None:
    key = {"Fn::GetAtt": [logical_id("guarded", KEY), "Arn"]}
    assert [log["Properties"]["KmsKeyId"] for log in resources("guarded", "AWS::Logs::LogGroup").values()] == [key] * 3
    for queue in resources("guarded", "AWS::SQS::Queue").values():
        found = queue["Properties"]
        assert (found["KmsMasterKeyId"], "SqsManagedSseEnabled" in found) == (key, False)
    assert only("guarded", "AWS::SNS::Topic")["KmsMasterKeyId"] == key


def test_the_key_rotates_and_is_retained_like_the_log() -> None:
    (key,) = resources("guarded", KEY).values()
    assert (key["Properties"]["EnableKeyRotation"], key["DeletionPolicy"]) == (True, "Retain")


def test_only_administrators_the_logs_of_the_stack_and_alarms_and_rules_of_the_account_use_the_key() -> None:
    anyone, logs, alarms, events = key_statements().values()
    assert plain(anyone["Principal"]["AWS"]) == "arn:aws:iam::${AWS::AccountId}:root"
    assert logs["Principal"] == {"Service": "logs.ap-southeast-2.amazonaws.com"}
    (arn,) = (plain(value) for value in logs["Condition"]["ArnLike"].values())
    stack = "ecr-frontdoor-shared-registry"
    assert arn.endswith(f":logs:ap-southeast-2:${{AWS::AccountId}}:log-group:{stack}-*")
    assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert alarms["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert alarms["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert events == {**alarms, "Sid": "EncryptEvents", "Principal": {"Service": "events.amazonaws.com"}}
    assert not [action for action in logs["Action"] if "*" in action]


def test_the_lambda_and_scheduler_may_encrypt_messages_of_the_queue() -> None:
    key = f"${{{logical_id('guarded', KEY)}.Arn}}"
    having = [(role, readable(s)) for role, s in role_statements("guarded") if s.get("Sid") == "EncryptDeadLetters"]
    assert sorted(role[:8] for role, _ in having) == ["Identity", "Schedule"]
    assert all(s["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"] and s["Resource"] == [key] for _, s in having)


def test_in_china_the_key_policy_has_arns_of_that_partition() -> None:
    text = configurations.text("guarded").replace("ap-southeast-2", "cn-north-1").replace("arn:aws:", "arn:aws-cn:")
    found = synthesize(configurations.parse(text))["Resources"]
    (policy,) = (r["Properties"]["KeyPolicy"] for r in found.values() if r["Type"] == KEY)
    (arn,) = (plain(value) for value in policy["Statement"][1]["Condition"]["ArnLike"].values())
    assert arn.startswith("arn:aws-cn:logs:cn-north-1:")
