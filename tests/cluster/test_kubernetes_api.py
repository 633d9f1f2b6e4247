"""The contract of `Cluster`, kept by the real API server under the charts' Role."""

import pytest
from lightkube.resources.core_v1 import Namespace

from lambda_fn.contract import objects
from lambda_fn.contract.errors import ClusterError
from tests.cluster.site import Site
from tests.contract.cluster import ClusterContract, deployment, objects_of


class TestKubernetesApi(ClusterContract):
    @pytest.fixture
    def bench(self, site: Site) -> Site:
        return site


def test_every_field_the_lambda_writes_is_its_own(site: Site) -> None:
    site.create(deployment(site.settings))
    site.cluster.apply(objects_of(site.settings).rollout({objects.CONFIG_SHA256: "a"}), dry_run=False)
    found = site.read("Deployment", site.settings.names.workload)
    assert found is not None
    (ours,) = [entry for entry in found["metadata"]["managedFields"] if entry["manager"] == "ecr-frontdoor"]
    assert ours["operation"] == "Apply"
    annotations = ours["fieldsV1"]["f:spec"]["f:template"]["f:metadata"]["f:annotations"]
    assert list(annotations) == ["f:ecr-frontdoor/config-sha256"]
    assert list(ours["fieldsV1"]) == ["f:spec"]


def test_a_secret_of_another_type_is_an_error_that_says_to_delete_it(site: Site) -> None:
    names = site.settings.names
    metadata = {"name": names.secret, "namespace": site.settings.cluster.namespace}
    site.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": {"a": "YQ=="}})
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": "e30="},
    }
    with pytest.raises(ClusterError, match="another tool created an object of that name, delete it and run again"):
        site.cluster.apply(manifest, dry_run=False)


def test_in_a_namespace_that_is_not_there_the_error_says_to_apply_the_charts(site: Site) -> None:
    site.invocation.remaining_seconds = 17
    gone = site.settings.cluster.model_copy(update={"namespace": "nowhere"})
    site.settings = site.settings.model_copy(update={"cluster": gone})
    with pytest.raises(ClusterError, match=r"namespace nowhere.*apply the charts"):
        site.connect().read_template()
    assert site.administrator.get(Namespace, "default")
