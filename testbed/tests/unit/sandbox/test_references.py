"""The reference configurations that `make deploy-local` deploys: each is a file that the app takes, and differs."""

from lambda_fn.settings import Settings, parse_toml
from stacks.preflight import reject_incompatible_settings
from testbed.sandbox.deployment import references
from testbed.sandbox.deployment.references import Reference
from testbed.sandbox.installation import toml
from testbed.sandbox.world import World

WORLD = World()
NETWORK = {"vpc_id": "vpc-0a1b2c3d", "subnet_ids": ["subnet-0a1b2c3d"], "security_group_id": "sg-0a1b2c3d"}


def settings(reference: Reference) -> Settings:
    image = f"{WORLD.ecr_host}/{WORLD.proxy_repository}:1.30.6"
    found = parse_toml(reference.settings(toml(WORLD, image=image, more=reference.more), NETWORK), "frontdoor.toml")
    reject_incompatible_settings(found)
    return found


def test_the_smallest_has_no_vpc_and_a_service() -> None:
    found = settings(references.SMALLEST)
    assert (found.manifests, found.cluster.vpc_id, found.proxy.exposure.kind) == ("kubectl", None, "service")


def test_the_one_with_an_ingress_runs_in_the_vpc() -> None:
    found = settings(references.INGRESS)
    assert (found.cluster.vpc_id, found.proxy.exposure.kind) == ("vpc-0a1b2c3d", "ingress")


def test_the_one_behind_a_gateway_believes_its_proxies() -> None:
    found = settings(references.GATEWAY)
    assert (found.proxy.exposure.kind, found.proxy.exposure.proxies) == ("gateway", ("10.0.0.0/24",))


def test_two_leave_rights_or_objects_to_an_administrator() -> None:
    found = [settings(one).manifests for one in (references.NAMESPACED, references.EXTERNAL)]
    assert found == ["namespaced", "external"]


def test_the_one_with_a_load_balancer_has_everything_that_is_optional() -> None:
    subnets = {"subnet-0a1b2c3d": "10.0.0.0/24", "subnet-0a1b2c3e": "10.0.1.0/24"}
    found = settings(references.load_balancer(WORLD, "Z0123456789", subnets, "rtb-0a1b2c3d"))
    assert found.canary
    assert (found.proxy.exposure.kind, found.encryption, found.cluster.nat) == ("nlb", "stack", False)
    assert found.endpoints.create
    assert found.alarms.emails
