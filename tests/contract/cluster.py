"""What every `Cluster` does: run against the fake without a cluster, and against the real API server."""

import base64
from datetime import UTC, datetime
from typing import Protocol

import pytest

from lambda_fn.contract import objects
from lambda_fn.contract.authorization import Authorization
from lambda_fn.contract.errors import ClusterError
from lambda_fn.contract.secret import Entry
from lambda_fn.job.api_error import Grant
from lambda_fn.job.manifests import Manifest, Objects
from lambda_fn.job.ports import Cluster
from lambda_fn.settings import Settings, parse_toml

SETTINGS = """
domain = "registry.frontdoor.test"
cluster = { name = "shared", region = "ap-southeast-2" }
registries = [{ account = "123456789012", region = "ap-southeast-2", repositories = ["team/*"] }]
proxy = { exposure = { kind = "service" }, resolver = "192.0.2.1" }
"""


def settings() -> Settings:
    """The settings every bench has."""
    return parse_toml(SETTINGS, "the test's settings")


def objects_of(of: Settings) -> Objects:
    """The builder of the objects of an installation."""
    return Objects(of.names, of.cluster.namespace, of.proxy.labels, of.proxy.annotations)


def grant_of(of: Settings) -> Grant:
    """The rights of an installation's Lambda."""
    return Grant(of.cluster.namespace, objects.refresher_role(of.names.workload), of.refresher_group)


class Bench(Protocol):
    """A cluster to test, and the hands that charts and people have in it."""

    cluster: Cluster
    settings: Settings

    def create(self, manifest: Manifest) -> None:
        """Apply an object the way the charts do, under a field manager of their own."""

    def edit(self, kind: str, name: str, path: tuple[str, ...], value: str) -> None:
        """Change one field the way `kubectl edit` does."""

    def read(self, kind: str, name: str) -> Manifest | None:
        """The object as it is now, None when there is none."""


def deployment(of: Settings) -> Manifest:
    """A Deployment with an annotation of another writer."""
    labels = {"app.kubernetes.io/name": of.names.workload}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": of.names.workload, "namespace": of.cluster.namespace},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels, "annotations": {"prometheus.io/scrape": "true"}},
                "spec": {"containers": [{"name": "nginx", "image": "registry.frontdoor.test/nginx:1"}]},
            },
        },
    }


def template(of: Settings, text: str = "hello", key: str = objects.TEMPLATE_KEY) -> Manifest:
    """The chart's ConfigMap with a template."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": of.names.template_config_map, "namespace": of.cluster.namespace},
        "data": {key: text},
    }


class ClusterContract:
    """Subclasses give a fixture `bench`."""

    def test_a_missing_template_is_an_error_that_says_to_apply_the_charts(self, bench: Bench) -> None:
        with pytest.raises(ClusterError, match=r"aws-registry-proxy-tpl.* does not exist.*apply the charts"):
            bench.cluster.read_template()

    def test_a_template_config_map_without_the_template_is_an_error(self, bench: Bench) -> None:
        bench.create(template(bench.settings, key="other"))
        with pytest.raises(ClusterError, match=r"nginx\.conf\.j2.*: apply the charts"):
            bench.cluster.read_template()

    def test_a_template_config_map_without_data_is_an_error(self, bench: Bench) -> None:
        bench.create({key: value for key, value in template(bench.settings).items() if key != "data"})
        with pytest.raises(ClusterError, match=r"nginx\.conf\.j2.*: apply the charts"):
            bench.cluster.read_template()

    def test_the_template_is_read_verbatim(self, bench: Bench) -> None:
        bench.create(template(bench.settings, "a {{ domain }}\n\n  ü\n"))
        assert bench.cluster.read_template() == "a {{ domain }}\n\n  ü\n"

    def test_a_missing_configuration_is_none(self, bench: Bench) -> None:
        assert bench.cluster.read_configuration() is None

    def test_a_config_map_without_the_configuration_has_none(self, bench: Bench) -> None:
        metadata = {"name": bench.settings.names.config_map, "namespace": bench.settings.cluster.namespace}
        bench.create({**template(bench.settings), "metadata": metadata})
        assert bench.cluster.read_configuration() is None

    def test_the_configuration_is_read_as_it_was_applied(self, bench: Bench) -> None:
        bench.cluster.apply(objects_of(bench.settings).config_map("one\n\n  ü\n"), dry_run=False)
        assert bench.cluster.read_configuration() == "one\n\n  ü\n"

    def test_a_missing_deployment_is_no_workload(self, bench: Bench) -> None:
        assert bench.cluster.read_workload() is None

    def test_the_workload_has_the_annotations_of_its_pod_template(self, bench: Bench) -> None:
        bench.create(deployment(bench.settings))
        found = bench.cluster.read_workload()
        assert found is not None
        assert found.annotations == {"prometheus.io/scrape": "true"}
        assert found.wanted == 2

    def test_the_charts_digest_changes_with_the_charts_and_not_with_the_lambdas_annotations(self, bench: Bench) -> None:
        def charts_sha256() -> str:
            found = bench.cluster.read_workload()
            assert found is not None
            return found.charts_sha256

        charts = deployment(bench.settings)
        bench.create(charts)
        before = charts_sha256()
        ours = objects_of(bench.settings).rollout(dict.fromkeys(objects.LAMBDA_ANNOTATIONS, "a"))
        assert bench.cluster.apply(ours, dry_run=False).changed
        assert charts_sha256() == before
        charts["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.frontdoor.test/nginx:2"
        bench.create(charts)
        assert charts_sha256() != before

    def test_a_missing_secret_says_nothing_of_a_tokens_end(self, bench: Bench) -> None:
        assert bench.cluster.read_expiry() is None

    @pytest.mark.parametrize(
        ("written", "expires_at"),
        [("2026-11-23T18:00:00Z", datetime(2026, 11, 23, 18, tzinfo=UTC)), ("tomorrow", None), (None, None)],
    )
    def test_the_end_of_the_token_is_what_the_secret_says(
        self, bench: Bench, written: str | None, expires_at: datetime | None
    ) -> None:
        data = {"other": "YQ=="} if written is None else {"expires_at": base64.b64encode(written.encode()).decode()}
        metadata = {"name": bench.settings.names.secret, "namespace": bench.settings.cluster.namespace}
        bench.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": data})
        assert bench.cluster.read_expiry() == expires_at

    def test_a_missing_secret_has_no_tokens(self, bench: Bench) -> None:
        assert bench.cluster.read_tokens() == {}

    def test_a_secret_that_no_refresh_wrote_has_no_tokens(self, bench: Bench) -> None:
        metadata = {"name": bench.settings.names.secret, "namespace": bench.settings.cluster.namespace}
        bench.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"other": "YQ=="}})
        assert bench.cluster.read_tokens() == {}

    def test_the_tokens_are_read_as_they_were_applied(self, bench: Bench) -> None:
        entries = {
            "a.example": Entry(Authorization("YTpi"), datetime(2026, 11, 23, 18, tzinfo=UTC)),
            "b.example": Entry(Authorization("Yzpk"), datetime(2026, 11, 23, 12, tzinfo=UTC)),
        }
        at = entries["b.example"].expires_at
        bench.cluster.apply(objects_of(bench.settings).secret(entries, at, at), dry_run=False)
        assert bench.cluster.read_tokens() == entries

    def test_apply_creates_what_is_missing(self, bench: Bench) -> None:
        applied = bench.cluster.apply(objects_of(bench.settings).config_map("one"), dry_run=False)
        assert applied.changed
        assert applied.taken_over == ()
        assert self._configuration(bench) == "one"

    def test_applying_twice_changes_nothing(self, bench: Bench) -> None:
        bench.cluster.apply(objects_of(bench.settings).config_map("one"), dry_run=False)
        before = bench.read("ConfigMap", bench.settings.names.config_map)
        assert not bench.cluster.apply(objects_of(bench.settings).config_map("one"), dry_run=False).changed
        assert bench.read("ConfigMap", bench.settings.names.config_map) == before

    def test_applying_another_value_changes_the_object(self, bench: Bench) -> None:
        bench.cluster.apply(objects_of(bench.settings).config_map("one"), dry_run=False)
        assert bench.cluster.apply(objects_of(bench.settings).config_map("two"), dry_run=False).changed
        assert self._configuration(bench) == "two"

    def test_a_dry_run_says_what_it_would_create_and_creates_nothing(self, bench: Bench) -> None:
        assert bench.cluster.apply(objects_of(bench.settings).config_map("one"), dry_run=True).changed
        assert bench.read("ConfigMap", bench.settings.names.config_map) is None

    def test_a_dry_run_says_what_it_would_change_and_changes_nothing(self, bench: Bench) -> None:
        bench.cluster.apply(objects_of(bench.settings).config_map("one"), dry_run=False)
        assert bench.cluster.apply(objects_of(bench.settings).config_map("two"), dry_run=True).changed
        assert not bench.cluster.apply(objects_of(bench.settings).config_map("one"), dry_run=True).changed
        assert self._configuration(bench) == "one"

    def test_another_managers_change_is_named_and_taken_back(self, bench: Bench) -> None:
        bench.cluster.apply(objects_of(bench.settings).config_map("one"), dry_run=False)
        bench.edit("ConfigMap", bench.settings.names.config_map, ("data", objects.CONFIG_KEY), "edited")
        applied = bench.cluster.apply(objects_of(bench.settings).config_map("one"), dry_run=False)
        assert applied.changed
        (taken_over,) = applied.taken_over
        assert "nginx" in taken_over
        assert "kubectl-edit" in taken_over
        assert self._configuration(bench) == "one"

    def test_a_dry_run_names_another_managers_change_and_leaves_it(self, bench: Bench) -> None:
        bench.cluster.apply(objects_of(bench.settings).config_map("one"), dry_run=False)
        bench.edit("ConfigMap", bench.settings.names.config_map, ("data", objects.CONFIG_KEY), "edited")
        assert bench.cluster.apply(objects_of(bench.settings).config_map("one"), dry_run=True).taken_over
        assert self._configuration(bench) == "edited"

    def test_a_rollout_touches_only_the_lambdas_annotations(self, bench: Bench) -> None:
        bench.create(deployment(bench.settings))
        annotations = {objects.CONFIG_SHA256: "a", objects.RESTARTED_AT: "b"}
        assert bench.cluster.apply(objects_of(bench.settings).rollout(annotations), dry_run=False).changed
        found = bench.cluster.read_workload()
        assert found is not None
        assert found.annotations == {"prometheus.io/scrape": "true", **annotations}
        assert found.wanted == 2

    @pytest.mark.parametrize("dry_run", [False, True])
    def test_a_deployment_that_is_gone_is_not_made_of_its_annotations(self, bench: Bench, dry_run: bool) -> None:  # noqa: FBT001 - a row of the table
        with pytest.raises(ClusterError, match=r"Deployment aws-registry-proxy.* is gone.*apply the charts"):
            bench.cluster.apply(objects_of(bench.settings).rollout({objects.CONFIG_SHA256: "a"}), dry_run=dry_run)
        assert bench.read("Deployment", bench.settings.names.workload) is None

    def test_an_annotation_left_out_of_an_apply_is_removed(self, bench: Bench) -> None:
        bench.create(deployment(bench.settings))
        both = {objects.CONFIG_SHA256: "a", objects.RESTARTED_AT: "b"}
        bench.cluster.apply(objects_of(bench.settings).rollout(both), dry_run=False)
        bench.cluster.apply(objects_of(bench.settings).rollout({objects.CONFIG_SHA256: "a"}), dry_run=False)
        found = bench.cluster.read_workload()
        assert found is not None
        assert objects.RESTARTED_AT not in found.annotations

    @staticmethod
    def _configuration(bench: Bench) -> str:
        found = bench.read("ConfigMap", bench.settings.names.config_map)
        assert found is not None
        return str(found["data"][objects.CONFIG_KEY])
