"""What `cdk synth` says of settings that are right one by one and could not work together."""

import pytest

from lambda_fn.contract.errors import SettingsError
from stacks.preflight import reject_incompatible_settings
from tests.template import configurations


def problems(toml: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        reject_incompatible_settings(configurations.parse(toml))
    first, *lines = str(caught.value).splitlines()
    assert first == "the settings cannot work together:"
    return [line.strip() for line in lines]


def without(*lines: str) -> str:
    """The private cluster's file without the lines that start so."""
    kept = (line for line in configurations.text("nlb").splitlines() if not line.startswith(lines))
    return "\n".join(kept)


@pytest.mark.parametrize("name", [*configurations.NAMES, "ingress", "nlb"])
def test_what_is_deployed_here_lacks_nothing(name: str) -> None:
    reject_incompatible_settings(configurations.settings(name))


def test_a_private_endpoint_without_subnets_is_refused_with_the_settings_to_add() -> None:
    (found,) = problems(
        configurations.text("public").replace('name = "shared"', 'name = "shared"\npublic_endpoint = false')
    )
    assert found == (
        "cluster.public_endpoint = false: the Lambda has to stand in the VPC, "
        "set cluster.vpc_id, subnet_ids and security_group_id"
    )


def test_a_canary_is_pulled_by_a_lambda_in_the_vpc() -> None:
    (found,) = problems(configurations.text("public") + '[canary]\nrepository = "team/canary"\nreference = "latest"\n')
    assert found == (
        "canary: from outside of the VPC the Lambda does not reach the domain, "
        "set cluster.vpc_id, subnet_ids and security_group_id"
    )


def test_without_nat_every_missing_endpoint_is_named_with_what_it_is_for() -> None:
    found = problems(without("[endpoints]", "create", "route_table_ids"))
    assert [line.split("'")[1] for line in found] == [
        "ecr.dkr",
        "s3",
        "ec2",
        "elasticloadbalancing",
        "ecr.api",
        "eks",
        "lambda",
    ]
    assert all(line.startswith("cluster.nat = false: ") and line.partition("', ")[2] for line in found)


@pytest.mark.parametrize(
    ("replicas", "needed"), [(2, 370), (3, 555), (4, 740), (5, 555), (9, 555), (16, 740), (50, 740)]
)
def test_a_rollout_behind_the_load_balancer_is_given_the_time_its_pods_take(replicas: int, needed: int) -> None:
    def allowing(seconds: int) -> str:
        text = configurations.text("nlb").replace("[proxy]\n", f"[proxy]\nreplicas = {replicas}\n")
        return text.replace("rollout_timeout_seconds = 780", f"rollout_timeout_seconds = {seconds}")

    (found,) = problems(allowing(needed - 1))
    assert found == (
        f"refresh.rollout_timeout_seconds = {needed - 1}: behind the load balancer of proxy.exposure.kind = "
        f'"nlb" {replicas} pods may take {needed} s, set {needed} or more'
    )
    reject_incompatible_settings(configurations.parse(allowing(needed)))


def test_the_default_time_of_a_rollout_is_too_short_behind_the_load_balancer_alone() -> None:
    (found,) = problems(without("rollout_timeout_seconds"))
    assert found.startswith("refresh.rollout_timeout_seconds = 300: ")
    reject_incompatible_settings(configurations.parse(configurations.text("ingress")))


def test_endpoints_that_exist_count() -> None:
    text = without("route_table_ids").replace("create = ", "existing = ")
    reject_incompatible_settings(configurations.parse(text))


def test_where_the_lambda_stands_outside_only_the_proxy_and_the_controller_need_endpoints() -> None:
    text = without("subnet_ids", "public_endpoint", "create", "route_table_ids")
    assert [line.split("'")[1] for line in problems(text)] == ["ecr.dkr", "s3", "ec2", "elasticloadbalancing"]


def test_without_a_load_balancer_the_stack_owns_nobody_needs_the_endpoints_of_its_controller() -> None:
    text = without("create", "route_table_ids").split("[proxy.exposure]")[0] + '[proxy.exposure]\nkind = "service"'
    assert [line.split("'")[1] for line in problems(text)] == ["ecr.dkr", "s3", "ecr.api", "eks", "lambda"]


def test_without_kubectl_and_with_a_known_address_the_lambda_needs_the_token_alone() -> None:
    address = 'endpoint = "https://10.1.0.9"\ncertificate_authority = "Zm9v"\n[endpoints]'
    text = 'manifests = "external"\n' + without("create", "route_table_ids").replace("[endpoints]", address)
    text = text.replace("[proxy]", '[proxy]\nresolver = "172.20.0.10"')
    assert [line.split("'")[1] for line in problems(text)] == [
        "ecr.dkr",
        "s3",
        "ec2",
        "elasticloadbalancing",
        "ecr.api",
    ]


def test_without_nat_neither_another_region_nor_a_public_image_can_be_reached() -> None:
    text = without("image").replace(
        'account = "123456789012"\nregion = "ap-southeast-2"', 'account = "123456789012"\nregion = "eu-west-1"'
    )
    registry, image = problems(text)
    assert registry == "cluster.nat = false: no endpoint in ap-southeast-2 leads to registries[0] in eu-west-1"
    assert image.startswith("cluster.nat = false: proxy.image = public.ecr.aws/nginx/nginx:1.30.6 has to be copied")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            without("vpc_id", "security_group_id", "subnet_ids", "public_endpoint", "nat", "create", "route_table_ids"),
            'proxy.exposure.kind = "nlb": set cluster.vpc_id and security_group_id',
        ),
        (
            configurations.text("public") + '[endpoints]\ncreate = ["s3"]\nroute_table_ids = ["rtb-12345678"]\n',
            "endpoints.create: set cluster.vpc_id and security_group_id",
        ),
        (
            without("subnet_ids", "public_endpoint", "nat"),
            "endpoints.create: set endpoints.subnet_ids, or cluster.subnet_ids",
        ),
        (
            configurations.text("ingress").replace("subnet_ids", "# subnet_ids"),
            "cluster.vpc_id is for the Lambda, and nothing stands there: set cluster.subnet_ids too, or leave it out",
        ),
    ],
)
def test_what_stands_in_a_vpc_has_to_know_it(text: str, message: str) -> None:
    assert problems(text) == [message]
