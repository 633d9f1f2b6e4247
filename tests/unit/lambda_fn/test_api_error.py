"""What the person on call reads when the API server says no."""

import pytest

from lambda_fn.job.api_error import Action, explain
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


def test_the_api_servers_words_are_redacted() -> None:
    text = explain(GRANT, PATCH, 400, f"bad value {'QVdT' * 40}", lambda: "")
    assert "The API server's message: bad value ***" in text
