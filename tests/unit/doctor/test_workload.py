"""What the doctor says of a configuration that is not the template's."""

from datetime import UTC, datetime
from typing import Any

import k8s_manifests
from cli.doctor import workload
from cli.doctor.finding import Verdict
from lambda_fn.job import manifests
from lambda_fn.job.credential import Authorization, Credential
from tests.fakes.kubernetes import FakeKubernetes
from tests.unit.doctor.account import SETTINGS, TARGETS

HOST = "123456789012.dkr.ecr.ap-southeast-2.amazonaws.com"
STORED = {HOST: Credential(HOST, "", Authorization("any"), datetime(2026, 1, 1, tzinfo=UTC))}


def cluster(configuration: str) -> FakeKubernetes:
    """The charts' objects, with pods that were rolled out with this configuration."""
    documents: list[dict[str, Any]] = k8s_manifests.documents(SETTINGS, target_group_arn=TARGETS)
    (deployment,) = [one for one in documents if one["kind"] == "Deployment"]
    template = deployment["spec"]["template"]["metadata"]
    template.setdefault("annotations", {})[manifests.CONFIG_DIGEST] = manifests.digest(configuration)
    metadata = {"name": SETTINGS.names.config_map}
    written = {"kind": "ConfigMap", "metadata": metadata, "data": {manifests.CONFIG_KEY: configuration}}
    return FakeKubernetes([*documents, written])


def test_a_configuration_of_before_may_be_that_of_an_undone_rollout() -> None:
    one = next(workload.examine(SETTINGS, cluster("# of before"), "10.96.0.10", STORED))
    assert (one.check, one.verdict) == ("configuration", Verdict.WARNING)
    assert "would give another configuration than the one in use" in one.said
    assert "if a rollout was undone, correct first what that run's log says" in one.way_out
    assert "deploy if the file is newer" in one.way_out
