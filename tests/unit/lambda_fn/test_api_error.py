"""What the person on call reads when the API server says no."""

import pytest

from lambda_fn.job.api_error import Action, explain, refusal
from tests.contract.cluster import grant_of, settings

GRANT = grant_of(settings())
PATCH = Action("patch", "secrets", "aws-registry")
USER = "arn:aws:sts::123456789012:assumed-role/refresher/session"


@pytest.mark.parametrize(
    ("status", "sent", "message"),
    [
        (
            403,
            f'secrets "aws-registry" is forbidden: User "{USER}" cannot patch resource "secrets" in API group ""',
            "whose Role aws-registry-proxy-refresher, bound to group ecr-frontdoor:refresher:registry, allows it.",
        ),
        (
            403,
            f'secrets "aws-registry" is forbidden: User "{USER}" cannot create resource "secrets" in API group ""',
            "Kubernetes forbids the Lambda to create secrets aws-registry in namespace registry.",
        ),
        (
            403,
            "denied by a webhook",
            "Kubernetes forbids the Lambda to patch secrets aws-registry in namespace registry.",
        ),
        (
            401,
            "Unauthorized",
            "does not know the Lambda's role (401 on: patch secrets aws-registry). The access entry is gone.",
        ),
        (
            404,
            "namespaces not found",
            "not found: patch secrets aws-registry in namespace registry. Fix: apply the charts",
        ),
        (
            422,
            "type: field is immutable",
            "if another tool created an object of that name, delete it and run again",
        ),
        (
            503,
            "etcd is down",
            "Kubernetes answers 503 on: patch secrets aws-registry in namespace registry. The schedule",
        ),
    ],
)
def test_a_refusal_says_what_was_refused_and_what_would_allow_it(status: int, sent: str, message: str) -> None:
    text = explain(GRANT, PATCH, status, sent, lambda: "The access entry is gone.")
    assert message in text
    assert status == 401 or f"The API server's message: {sent}" in text


VAP = (
    "secrets \"aws-registry\" is forbidden: ValidatingAdmissionPolicy 'require-owner' with binding 'everywhere' denied "
    "request: give each object the label owner"
)
KYVERNO = """admission webhook "validate.kyverno.svc-fail" denied the request:

resource Secret/registry/aws-registry was blocked due to the following policies

require-labels:
  check-owner: 'validation error: the label owner is required. rule check-owner failed at path /metadata/labels/owner/'
"""


@pytest.mark.parametrize(
    ("status", "sent", "named"),
    [
        # A ValidatingAdmissionPolicy's `reason` chooses among these.
        *(
            (status, VAP, "'require-owner' with binding 'everywhere' denied request: give")
            for status in (401, 403, 413, 422)
        ),
        (403, 'admission webhook "validation.gatekeeper.sh" denied the request: [owner] you must', "[owner] you must"),
        (400, KYVERNO, "require-labels: check-owner: 'validation error: the label owner is required."),
        (409, 'admission webhook "a.b" denied the request without explanation', 'webhook "a.b" denied'),
        (400, 'admission webhook "a.b" does not support dry run', "does not support dry run"),
        (403, 'secrets "aws-registry" is forbidden: exceeded quota: few, requested: secrets=1', "exceeded quota: few"),
        (
            403,
            'secrets "aws-registry" is forbidden: unable to create new content in namespace a because it is gone',
            "new content in namespace a because it is gone",
        ),
    ],
)
def test_a_refusal_of_admission_control_is_named_with_its_message_and_no_advice_to_delete_or_to_apply_a_role(
    status: int, sent: str, named: str
) -> None:
    text = explain(GRANT, PATCH, status, sent, lambda: "The access entry is gone.")
    assert text.startswith(
        "the cluster's admission control refuses: patch secrets aws-registry in namespace registry, and will until"
    )
    assert named in text
    assert not {"delete", "Role", "access entry", "schedule"} & {*text.replace(".", "").split()}
    assert refusal(status, sent)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_webhook_that_fails_refuses_nothing(status: int) -> None:
    assert refusal(status, 'admission webhook "validation.gatekeeper.sh" denied the request: not ready') is None


def test_a_webhook_that_cannot_be_called_is_named() -> None:
    sent = 'Internal error occurred: failed calling webhook "validate.kyverno.svc": failed to call webhook: Post "https://x"'
    text = explain(GRANT, PATCH, 500, sent, lambda: "")
    assert text.startswith("Kubernetes cannot call admission webhook validate.kyverno.svc, which has to admit: patch")


def test_a_long_message_of_a_policy_is_quoted_to_its_last_rule() -> None:
    rules = "; ".join(f"rule {number}: the label owner{number} is required" for number in range(15))
    assert "owner14 is required" in explain(GRANT, PATCH, 403, f"{VAP}: {rules}", lambda: "")


def test_the_api_servers_words_are_redacted() -> None:
    text = explain(GRANT, PATCH, 400, f"bad value {'QVdT' * 40}", lambda: "")
    assert "The API server's message: bad value ***" in text
