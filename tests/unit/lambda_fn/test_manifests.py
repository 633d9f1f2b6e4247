"""The objects as server-side apply takes them."""

import base64
import json
import re
from datetime import UTC, datetime

import pytest

from lambda_fn.contract import objects, secret
from lambda_fn.contract.authorization import Authorization
from lambda_fn.contract.errors import SettingsError
from lambda_fn.contract.secret import Entry
from lambda_fn.job import manifests
from tests.contract.cluster import objects_of, settings

SETTINGS = settings()
EARLY, LATE = datetime(2026, 11, 23, 21, 0, 5, 999, tzinfo=UTC), datetime(2026, 11, 23, 22, 0, tzinfo=UTC)
LABELS = {"app.kubernetes.io/name": "aws-registry-proxy", "app.kubernetes.io/managed-by": "ecr-frontdoor"}


def entry(token: str, expires_at: datetime) -> Entry:
    return Entry(Authorization(token), expires_at)


def test_the_secret_is_a_pull_secret_for_every_host_and_says_when_the_first_token_expires() -> None:
    found = objects_of(SETTINGS).secret(
        {"a.example": entry("dA==", LATE), "b.example": entry("dQ==", EARLY)}, EARLY, LATE
    )
    data = {key: base64.b64decode(value).decode() for key, value in found.pop("data").items()}
    assert json.loads(data[".dockerconfigjson"]) == {
        "auths": {"a.example": {"auth": "dA=="}, "b.example": {"auth": "dQ=="}}
    }
    assert (data["a.example"], data["b.example"]) == ("dA==", "dQ==")
    assert (data["expires_at"], data["refreshed_at"]) == ("2026-11-23T21:00:05Z", "2026-11-23T22:00:00Z")
    assert found == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "aws-registry", "namespace": "registry", "labels": LABELS},
        "type": "kubernetes.io/dockerconfigjson",
    }


@pytest.mark.parametrize(("hosts", "fits"), [(120, True), (121, False)])
def test_a_secret_that_kubernetes_would_not_accept_is_refused_with_its_size(hosts: int, *, fits: bool) -> None:
    token = "t" * secret.TOKEN_BYTES
    entries = {f"{number:012}.dkr.ecr.eu-west-1.amazonaws.com": entry(token, LATE) for number in range(hosts)}
    if fits:
        data = objects_of(SETTINGS).secret(entries, EARLY, LATE)["data"]
        assert 1_030_000 < sum(len(base64.b64decode(value)) for value in data.values()) <= 1_048_576
        return
    with pytest.raises(SettingsError) as caught:
        objects_of(SETTINGS).secret(entries, EARLY, LATE)
    assert re.match(
        r"Secret aws-registry would have 1,0\d\d,\d{3} bytes with the tokens of 121 ECR hosts, and Kubernetes allows "
        r"1,048,576; it is left as it is\. Fix: ",
        str(caught.value),
    )
    assert "tttt" not in str(caught.value)


def test_the_config_map_holds_the_configuration_verbatim() -> None:
    assert objects_of(SETTINGS).config_map("events {}\n") == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "aws-registry-proxy-config", "namespace": "registry", "labels": LABELS},
        "data": {"nginx.conf": "events {}\n"},
    }


def test_what_the_lambda_creates_has_the_operators_labels_and_annotations_beside_its_own() -> None:
    built = manifests.Objects(SETTINGS.names, "registry", {"team": "platform"}, {"example.net/owner": "on-call"})
    for found in (built.secret({"a.example": entry("dA==", LATE)}, LATE, EARLY), built.config_map("events {}\n")):
        assert found["metadata"]["labels"] == {"team": "platform", **LABELS}
        assert found["metadata"]["annotations"] == {"example.net/owner": "on-call"}
    assert "labels" not in built.rollout({})["metadata"]
    assert "annotations" not in built.rollout({})["metadata"]


def test_a_pod_template_without_annotations_has_the_charts_digest_it_has_with_the_lambdas() -> None:
    spec = {"containers": [{"image": "nginx"}]}
    annotated = {"metadata": {"annotations": {objects.CONFIG_SHA256: "a"}}, "spec": spec}
    assert manifests.charts_digest(annotated) == manifests.charts_digest({"spec": spec})
    scripts = {"metadata": {"annotations": {"ecr-frontdoor/scripts-sha256": "a"}}, "spec": spec}
    assert manifests.charts_digest(scripts) != manifests.charts_digest({"spec": spec})


def test_a_rollout_manages_the_annotations_and_nothing_else() -> None:
    assert objects_of(SETTINGS).rollout({objects.CONFIG_SHA256: "abc"}) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "aws-registry-proxy", "namespace": "registry"},
        "spec": {"template": {"metadata": {"annotations": {"ecr-frontdoor/config-sha256": "abc"}}}},
    }


def test_the_digest_is_sha256_of_the_text_in_utf_8() -> None:
    # printf ü | sha256sum
    assert manifests.digest("ü") == "607474ca475a9724d7360aba71a56d5df77e61350e3f724cfa1f46e857e2d85f"
