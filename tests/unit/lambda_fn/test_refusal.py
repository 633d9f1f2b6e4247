"""What the person on call reads when the API server says no."""

import pytest

from lambda_fn.job.refusal import Action, explain
from tests.contract.cluster import settings

SETTINGS = settings()
PATCH = Action("patch", "secrets", "aws-registry")
USER = "arn:aws:sts::123456789012:assumed-role/refresher/session"


@pytest.mark.parametrize(
    ("status", "said", "message"),
    [
        (
            403,
            f'secrets "aws-registry" is forbidden: User "{USER}" cannot patch resource "secrets" in API group ""',
            "aws-registry-proxy-refresher there, bound to group ecr-frontdoor:refresher:registry, has to allow it:",
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
            "does not know the Lambda (401 on: patch secrets aws-registry). The access entry is gone.",
        ),
        (404, "namespaces not found", "not found: patch secrets aws-registry in namespace registry. Apply the charts"),
        (
            422,
            "type: field is immutable",
            "If an object of that name was made by somebody else, delete it and run again",
        ),
        (
            503,
            "etcd is down",
            "Kubernetes answers 503 on: patch secrets aws-registry in namespace registry; the schedule",
        ),
    ],
)
def test_a_refusal_says_what_was_refused_and_what_would_allow_it(status: int, said: str, message: str) -> None:
    text = explain(SETTINGS, PATCH, status, said, lambda: "The access entry is gone.")
    assert message in text
    assert status == 401 or f"The API server says: {said}" in text


def test_the_api_servers_words_are_redacted() -> None:
    text = explain(SETTINGS, PATCH, 400, f"bad value {'QVdT' * 40}", lambda: "")
    assert "The API server says: bad value ***" in text
