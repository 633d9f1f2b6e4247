"""The Deployment: what the pod may do, what it waits for, and how it stops."""

import pytest

from k8s_manifests import configuration, documents
from lambda_fn.contract.objects import LAMBDA_ANNOTATIONS, chart_labels
from tests.template.charts import INGRESS, NLB, POD, check, container, find, pod, settings


def test_both_containers_have_the_restricted_security_context() -> None:
    for found in (container(settings()), check(settings())):
        assert found["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_the_pod_runs_as_nginx_and_can_read_its_secret() -> None:
    assert pod(settings())["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 101,
        "runAsGroup": 101,
        "fsGroup": 101,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    (credential,) = [v for v in pod(settings())["volumes"] if v["name"] == "credential"]
    assert credential["secret"] == {"secretName": "aws-registry", "defaultMode": 0o440}


def test_the_pod_has_no_identity_in_the_cluster() -> None:
    assert pod(settings())["automountServiceAccountToken"] is False
    assert "serviceAccountName" not in pod(settings())
    assert pod(settings())["enableServiceLinks"] is False


def test_the_image_is_pulled_with_the_secret_the_lambda_writes() -> None:
    assert pod(settings())["imagePullSecrets"] == [{"name": "aws-registry"}]


def test_nothing_is_mounted_by_sub_path_and_only_two_places_are_writable() -> None:
    for found in (container(settings(POD)), check(settings(POD))):
        assert [m for m in found["volumeMounts"] if "subPath" in m or "subPathExpr" in m] == []
        writable = {m["mountPath"] for m in found["volumeMounts"] if not m.get("readOnly")}
        assert writable == {"/run/frontdoor", "/var/cache/frontdoor"}


def test_writable_volumes_have_a_size_limit() -> None:
    sizes = {v["name"]: v["emptyDir"] for v in pod(settings())["volumes"] if "emptyDir" in v}
    assert sizes == {"run": {"sizeLimit": "64Mi"}, "cache": {"sizeLimit": "10Gi"}}


def test_the_page_is_mounted_and_no_pod_waits_for_it() -> None:
    (page,) = [v for v in pod(settings())["volumes"] if v["name"] == "page"]
    assert page["configMap"] == {"name": "aws-registry-proxy-page", "optional": True}
    assert set(find("ConfigMap", settings(), name="aws-registry-proxy-page")["data"]) >= {"index.html", "page.js"}
    for found in (container(settings()), check(settings())):
        mounts = {m["mountPath"]: m for m in found["volumeMounts"]}
        assert mounts["/etc/frontdoor/page"]["readOnly"] is True
        assert "/etc/frontdoor/catalogue" not in mounts


def test_each_part_of_the_catalogue_may_be_missing() -> None:
    found = settings(more="[page]\ncatalogue = true")
    (catalogue,) = [v for v in pod(found)["volumes"] if v["name"] == "catalogue"]
    sources = [source["configMap"] for source in catalogue["projected"]["sources"]]
    assert len(sources) == 17
    assert {"name": "aws-registry-proxy-catalogue-15", "optional": True} in sources
    assert all(source["optional"] for source in sources)


def test_without_a_page_there_is_none_of_its_objects() -> None:
    found = settings(more="[page]\nenabled = false")
    assert [v for v in pod(found)["volumes"] if v["name"] in {"page", "catalogue"}] == []
    assert [d for d in documents(found) if d["metadata"]["name"] == "aws-registry-proxy-page"] == []


def test_a_cache_that_fills_slowly_reserves_no_disk_of_a_node() -> None:
    """The size limit of the volume bounds it; docs/configuration.md gives the reason."""
    for found in (container(settings()), check(settings())):
        assert "ephemeral-storage" not in {**found["resources"]["requests"], **found["resources"]["limits"]}


@pytest.mark.parametrize(("size_gib", "volume"), [(1, "3Gi"), (8, "10Gi"), (100, "125Gi")])
def test_the_volume_has_space_for_downloads_in_progress(size_gib: int, volume: str) -> None:
    found = pod(settings(more=f"[proxy.cache]\nsize_gib = {size_gib}"))
    (cache,) = [v for v in found["volumes"] if v["name"] == "cache"]
    assert cache["emptyDir"] == {"sizeLimit": volume}


def test_the_cache_may_be_a_volume_of_a_storage_class() -> None:
    found = pod(settings(more='[proxy.cache]\nsize_gib = 100\nstorage_class = "gp3"'))
    (cache,) = [v for v in found["volumes"] if v["name"] == "cache"]
    assert cache == {
        "name": "cache",
        "ephemeral": {
            "volumeClaimTemplate": {
                "metadata": {"labels": chart_labels("aws-registry-proxy")},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "storageClassName": "gp3",
                    "resources": {"requests": {"storage": "125Gi"}},
                },
            }
        },
    }


@pytest.mark.parametrize(
    ("exposure", "replicas", "surge"), [(INGRESS, 50, 1), (NLB, 2, 1), (NLB, 4, 1), (NLB, 5, 2), (NLB, 50, 13)]
)
def test_pods_are_replaced_one_by_one_unless_that_is_too_slow_behind_a_load_balancer(
    exposure: str, replicas: int, surge: int
) -> None:
    spec = find("Deployment", settings(exposure, proxy=f"replicas = {replicas}"))["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": surge}


def test_a_pod_waits_for_the_secret_and_the_configuration() -> None:
    sources = [v.get("secret") or v.get("configMap") for v in pod(settings(POD))["volumes"] if "emptyDir" not in v]
    names = [s.get("secretName") or s["name"] for s in sources if "optional" not in s]
    assert names == ["aws-registry-proxy-config", "aws-registry-proxy-scripts", "aws-registry", "registry-tls"]


def test_a_pod_needs_no_hints_and_has_them_only_where_deletions_are_followed() -> None:
    """Of the ConfigMap, a pod reads one key."""
    (hints,) = (v for v in pod(settings())["volumes"] if v["name"] == "hints")
    items = [{"key": "gone", "path": "gone"}]
    assert hints["configMap"] == {"name": "aws-registry-proxy-hints", "items": items, "optional": True}
    for found in (container(settings()), check(settings())):
        (mount,) = (m for m in found["volumeMounts"] if m["name"] == "hints")
        assert mount == {"name": "hints", "mountPath": "/etc/frontdoor/hints", "readOnly": True}
    without = pod(settings(more="[watcher]\ndeletions = false"))
    assert "hints" not in {v["name"] for v in without["volumes"]}


def test_the_certificate_is_mounted_only_where_nginx_terminates_tls() -> None:
    assert "/etc/frontdoor/tls" in {m["mountPath"] for m in container(settings(POD))["volumeMounts"]}
    assert "/etc/frontdoor/tls" not in {m["mountPath"] for m in container(settings(INGRESS))["volumeMounts"]}


def test_the_init_container_runs_the_same_nginx_only_to_test_the_configuration() -> None:
    folders = ["/etc/frontdoor/config", "/etc/frontdoor/scripts", "/run/frontdoor", "/var/cache/frontdoor"]
    init, nginx = check(settings())["command"], container(settings())["command"]
    assert init[:2] == nginx[:2] == ["/bin/sh", "-c"]
    assert init[4:] == nginx[4:] == folders
    assert init[2].endswith('cp "$config/nginx.conf" "$scripts"/*.js "$run/" && find_cache && run_nginx -t')
    assert nginx[2].endswith("find_cache\nrun_nginx")
    assert init[2].partition('rm -f "$run/nginx.conf.served"')[0] == nginx[2].partition("[ ! -f")[0]


def test_a_comment_of_a_script_does_not_roll_the_pods() -> None:
    scripts = check(settings())["command"][2] + container(settings())["command"][2]
    assert not [line for line in scripts.splitlines() if line.lstrip().startswith("#") or not line.strip()]


def test_a_stopping_pod_finishes_its_pulls_before_the_signal() -> None:
    (shell, flag, script, _, seconds, run) = container(settings())["lifecycle"]["preStop"]["exec"]["command"]
    assert (shell, flag, seconds, run) == ("/bin/sh", "-c", "10", "/run/frontdoor")
    steps = [
        line for line in script.splitlines() if line.startswith(("sleep", "finish_pulls", "kill")) and "{" not in line
    ]
    assert steps == ['sleep "$1"', "finish_pulls", "finish_pulls", "kill -QUIT 1"]


@pytest.mark.parametrize("drain_seconds", [30, 21600])
def test_the_grace_period_outlasts_the_drain(drain_seconds: int) -> None:
    found = pod(settings(proxy=f"drain_seconds = {drain_seconds}"))
    assert found["terminationGracePeriodSeconds"] >= drain_seconds + 10 + 10


@pytest.mark.parametrize(("exposure", "seconds"), [(INGRESS, 10 + 900 + 20), (NLB, 150 + 900 + 20)])
def test_a_pod_may_take_its_drain_and_the_time_in_which_clients_are_still_sent_to_it(
    exposure: str, seconds: int
) -> None:
    assert pod(settings(exposure))["terminationGracePeriodSeconds"] == seconds


def test_pods_run_on_linux_and_where_the_operator_selects() -> None:
    assert pod(settings())["nodeSelector"] == {"kubernetes.io/os": "linux"}
    chosen = settings(proxy='scheduling.node_selector = { "example.net/pool" = "infra" }')
    assert pod(chosen)["nodeSelector"] == {"kubernetes.io/os": "linux", "example.net/pool": "infra"}


def test_tolerations_and_the_priority_class_are_those_of_the_settings() -> None:
    assert not {"tolerations", "priorityClassName"} & pod(settings()).keys()
    tolerations = (
        '{ key = "dedicated", value = "infra", effect = "NoSchedule" }, '
        '{ key = "spot", operator = "Exists", effect = "NoExecute", toleration_seconds = 0 }'
    )
    found = pod(settings(proxy=f'scheduling.tolerations = [{tolerations}]\nscheduling.priority_class = "high"'))
    assert found["priorityClassName"] == "high"
    assert found["tolerations"] == [
        {"key": "dedicated", "operator": "Equal", "value": "infra", "effect": "NoSchedule"},
        {"key": "spot", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 0},
    ]


def test_both_containers_have_the_pull_policy_of_the_settings_or_that_of_kubernetes() -> None:
    always = settings(proxy='image_pull_policy = "Always"')
    assert [part["imagePullPolicy"] for part in (container(always), check(always))] == ["Always", "Always"]
    assert not [part for part in (container(settings()), check(settings())) if "imagePullPolicy" in part]


@pytest.mark.parametrize("more", ["", '[proxy.cache]\nstorage_class = "gp3"'])
def test_cluster_autoscaler_may_evict_a_pod_with_each_of_its_volumes_on_the_node(more: str) -> None:
    template = find("Deployment", settings(more=more))["spec"]["template"]
    on_the_node = [volume["name"] for volume in template["spec"]["volumes"] if "emptyDir" in volume]
    named = template["metadata"]["annotations"]["cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"]
    assert named.split(",") == on_the_node == (["run"] if more else ["run", "cache"])


@pytest.mark.rule("R41")
def test_a_rollout_never_removes_a_ready_pod() -> None:
    spec = find("Deployment", settings(proxy="replicas = 3"))["spec"]
    assert spec["replicas"] == 3
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}


def test_the_progress_deadline_is_the_rollout_timeout_of_the_lambda() -> None:
    found = settings(more="[refresh]\nrollout_timeout_seconds = 120")
    assert find("Deployment", found)["spec"]["progressDeadlineSeconds"] == 120


def test_only_the_start_up_probe_depends_on_ecr() -> None:
    probes = {kind: container(settings())[kind]["httpGet"] for kind in ("startupProbe", "readinessProbe")}
    probes["livenessProbe"] = container(settings())["livenessProbe"]["httpGet"]
    assert probes == {
        "startupProbe": {"path": "/-/startup", "port": "http", "scheme": "HTTP"},
        "readinessProbe": {"path": "/-/ready", "port": "http", "scheme": "HTTP"},
        "livenessProbe": {"path": "/-/live", "port": "http", "scheme": "HTTP"},
    }


def test_where_nginx_terminates_tls_the_start_up_probe_passes_through_the_certificate() -> None:
    assert container(settings(POD))["startupProbe"]["httpGet"]["port"] == "https"
    assert container(settings(POD))["startupProbe"]["httpGet"]["scheme"] == "HTTPS"
    ports = {p["name"]: p["containerPort"] for p in container(settings(POD))["ports"]}
    assert ports == {"http": 8080, "https": 8443}


def test_pods_of_one_revision_spread_over_zones_and_nodes_if_possible() -> None:
    spread = pod(settings())["topologySpreadConstraints"]
    assert [c["topologyKey"] for c in spread] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
    for constraint in spread:
        assert constraint["whenUnsatisfiable"] == "ScheduleAnyway"
        assert constraint["matchLabelKeys"] == ["pod-template-hash"]
        assert constraint["labelSelector"] == {"matchLabels": {"app.kubernetes.io/name": "aws-registry-proxy"}}


def test_memory_is_limited_and_cpu_is_not() -> None:
    found = settings(more='[proxy.resources]\ncpu_request = "1"\nmemory_limit = "1Gi"')
    for part in (container(found), check(found)):
        assert part["resources"] == {"requests": {"cpu": "1", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}


def test_the_chart_does_not_set_the_annotations_of_the_lambda() -> None:
    annotations = find("Deployment", settings())["spec"]["template"]["metadata"]["annotations"]
    assert annotations.keys().isdisjoint(LAMBDA_ANNOTATIONS)


@pytest.mark.parametrize("changed", configuration.scripts())
def test_a_change_of_any_script_rolls_the_pods(changed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def digest() -> str:
        annotations = find("Deployment", settings())["spec"]["template"]["metadata"]["annotations"]
        return str(annotations["ecr-frontdoor/scripts-sha256"])

    before, modules = digest(), configuration.scripts()
    monkeypatch.setattr(configuration, "scripts", lambda: {**modules, changed: modules[changed] + "// changed\n"})
    assert digest() != before


def test_the_selector_is_the_one_label_that_never_changes() -> None:
    spec = find("Deployment", settings())["spec"]
    assert spec["selector"] == {"matchLabels": {"app.kubernetes.io/name": "aws-registry-proxy"}}
    assert spec["template"]["metadata"]["labels"]["app.kubernetes.io/name"] == "aws-registry-proxy"
