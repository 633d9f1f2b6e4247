"""Access keys, learned from STS."""

from testbed.sandbox.cloud.keyring import AccessKey, Keyring

ASSUMED = """<AssumeRoleResponse><AssumeRoleResult><Credentials><SessionToken>T</SessionToken>
<SecretAccessKey>S</SecretAccessKey><Expiration>E</Expiration><AccessKeyId>ASIA1</AccessKeyId></Credentials>
<AssumedRoleUser><Arn>arn:aws:sts::210987654321:assumed-role/r/s</Arn></AssumedRoleUser></AssumeRoleResult>"""


def test_an_assumed_roles_key_can_sign() -> None:
    keyring = Keyring()

    keyring.learn(ASSUMED)

    key = keyring.get("ASIA1")
    assert key == AccessKey("ASIA1", "S", "arn:aws:sts::210987654321:assumed-role/r/s", "T")
    assert key.account == "210987654321"


def test_an_answer_without_credentials_teaches_nothing() -> None:
    keyring = Keyring()

    keyring.learn("<GetCallerIdentityResult><Arn>arn:aws:iam::1:user/x</Arn></GetCallerIdentityResult>")

    assert keyring.get("ASIA1") is None


def test_a_key_hides_its_secrets() -> None:
    shown = repr(AccessKey("AKIA1", "the secret", "arn:aws:iam::1:user/x", "the token"))

    assert "the secret" not in shown
    assert "the token" not in shown
