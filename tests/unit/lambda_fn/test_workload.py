"""How far a Deployment is, from what the API says of it."""

import pytest
from lightkube.models.apps_v1 import DeploymentSpec, DeploymentStatus
from lightkube.models.core_v1 import PodTemplateSpec
from lightkube.models.meta_v1 import LabelSelector, ObjectMeta
from lightkube.resources.apps_v1 import Deployment

from lambda_fn.edges.kubernetes_api import workload_of


def deployment(*, replicas: int | None = 2, generation: int = 5, status: DeploymentStatus | None) -> Deployment:
    spec = DeploymentSpec(selector=LabelSelector(), template=PodTemplateSpec(), replicas=replicas)
    return Deployment(metadata=ObjectMeta(generation=generation), spec=spec, status=status)


def status(*, replicas: int, updated: int, available: int, observed: int = 5) -> DeploymentStatus:
    return DeploymentStatus(
        observedGeneration=observed, replicas=replicas, updatedReplicas=updated, availableReplicas=available
    )


@pytest.mark.parametrize(
    ("found", "updated_ready", "complete"),
    [
        (None, 0, False),
        (DeploymentStatus(), 0, False),
        (status(replicas=2, updated=2, available=2), 2, True),
        (status(replicas=2, updated=2, available=2, observed=4), 0, False),
        (status(replicas=2, updated=2, available=1), 1, False),
        (status(replicas=3, updated=1, available=2), 0, False),
        (status(replicas=3, updated=1, available=3), 1, False),
        (status(replicas=3, updated=2, available=2), 1, False),
        (status(replicas=3, updated=1, available=1), 0, False),
        (status(replicas=2, updated=0, available=2), 0, False),
    ],
    ids=[
        "new", "nothing said yet", "complete", "not seen yet", "a node is gone", "the first new pod hangs",
        "the first new pod is ready", "slow", "an old pod is gone, too", "no new pod yet",
    ],
)  # fmt: skip
def test_pods_of_the_newest_revision_are_counted_as_far_as_that_is_sure(
    found: DeploymentStatus | None, updated_ready: int, *, complete: bool
) -> None:
    workload = workload_of(deployment(status=found))
    assert (workload.updated_ready, workload.complete) == (updated_ready, complete)


def test_a_deployment_that_does_not_say_how_many_pods_it_wants_wants_one() -> None:
    assert workload_of(deployment(replicas=None, status=None)).wanted == 1
