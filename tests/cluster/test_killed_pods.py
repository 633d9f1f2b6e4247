"""What the real kubelet writes of a container at its memory limit and of an eviction, as the Lambda reads it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from lightkube.codecs import from_dict

from lambda_fn.contract.objects import selector_labels
from testbed.sandbox import image, installation
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.world import World
from tests.cluster.site import Site
from tests.cluster.test_lambda import Run, run
from tests.contract.cluster import template

__all__ = ["run"]

BEYOND_MEMORY = "x=0123456789; while :; do x=$x$x; done"
BEYOND_VOLUME = "head -c 8388608 /dev/zero > /data/filled; sleep 600"


@pytest.mark.parametrize(
    ("script", "named"),
    [
        (BEYOND_MEMORY, "container nginx of pod greedy was killed at {} at its memory limit (OOMKilled"),
        (BEYOND_VOLUME, 'pod greedy was evicted at {}: Usage of EmptyDir volume "data" exceeds the limit "1Mi"'),
    ],
    ids=["memory limit", "eviction"],
)
def test_a_pod_that_the_node_ends_is_named_with_its_instant_and_the_reason(
    site: Site, world: World, run: Run, control: Control, script: str, named: str
) -> None:
    del control
    installation.push_images(world)
    site.create(template(site.settings))
    assert run({}).error is None
    began_at = datetime.now(UTC)
    site.administrator.apply(from_dict(greedy(site, image.proxy_image(world), script)), force=True)
    (text,) = seen(lambda: site.cluster.killed_pods(since=began_at - timedelta(seconds=1)))
    instant = text.partition(" at ")[2][: len("2026-11-23T21:00:00Z")]
    assert text.startswith(named.format(instant))
    assert site.cluster.killed_pods(since=datetime.now(UTC) + timedelta(minutes=5)) == ()
    report = run({})
    assert report.payload["pods_killed"] == 1, report.log
    assert report.payload["warnings"][0] == text


def seen(killed: Callable[[], tuple[str, ...]]) -> tuple[str, ...]:
    """What it returns as soon as that is anything: the kubelet samples volumes once a minute."""
    for _ in range(150):
        if found := killed():
            return found
        time.sleep(1)
    raise AssertionError("the node ended no pod within 150 s")


def greedy(site: Site, of_image: str, script: str) -> dict[str, Any]:
    """A pod with the proxy's labels that uses more than it may."""
    names = site.settings.names
    container = {
        "name": "nginx",
        "image": of_image,
        "command": ["/bin/sh", "-c", script],
        "resources": {"limits": {"memory": "32Mi", "cpu": "500m"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "runAsUser": 101,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "greedy",
            "namespace": site.settings.cluster.namespace,
            "labels": selector_labels(names.workload),
        },
        "spec": {
            "restartPolicy": "Never",
            "imagePullSecrets": [{"name": names.secret}],
            "containers": [container],
            "volumes": [{"name": "data", "emptyDir": {"sizeLimit": "1Mi"}}],
            "terminationGracePeriodSeconds": 1,
        },
    }
