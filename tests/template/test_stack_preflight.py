"""Settings that are valid one by one and conflict are refused before anything is deployed."""

import re

import pytest

from lambda_fn.contract.errors import SettingsError
from stacks.preflight import Conflict, conflicts, reject_incompatible_settings
from tests.fakes.authority import CERTIFICATE_AUTHORITY
from tests.template import configurations


def found(toml: str) -> list[Conflict]:
    return conflicts(configurations.parse(toml))


def settings_to_change(conflict: Conflict) -> list[str]:
    return re.findall(r"[a-z]+(?:\.[a-z_]+)+", conflict.fix)


def missing_endpoints(toml: str) -> list[str]:
    """The endpoints to add, where nothing else conflicts."""
    all_found = found(toml)
    assert {conflict.setting for conflict in all_found} == {"cluster.nat = false"}
    return [endpoint for conflict in all_found for endpoint in re.findall(r'^add "([a-z0-9.]+)"', conflict.fix)]


def without(*lines: str) -> str:
    """The settings of the private cluster without the lines that begin with `lines`."""
    kept = (line for line in configurations.text("nlb").splitlines() if not line.startswith(lines))
    return "\n".join(kept)


@pytest.mark.parametrize("name", [*configurations.NAMES, "ingress", "nlb"])
def test_the_reference_configurations_have_no_conflict(name: str) -> None:
    reject_incompatible_settings(configurations.settings(name))


def test_every_conflict_is_in_the_error_with_its_fix() -> None:
    text = without("[endpoints]", "create", "route_table_ids")
    with pytest.raises(SettingsError) as caught:
        reject_incompatible_settings(configurations.parse(text))
    _, *lines = str(caught.value).splitlines()
    assert lines == [f"  {conflict}" for conflict in found(text)]
    assert all(f"{c.setting}: {c.cause}. Fix: {c.fix}" == str(c) for c in found(text))


@pytest.mark.parametrize(("accounts", "is_refused"), [(60, False), (61, True)])
def test_tokens_that_do_not_fit_into_a_secret_are_refused_with_the_numbers(accounts: int, *, is_refused: bool) -> None:
    """Each registry has a replica, and so two hosts, and a second table, which adds none."""
    tables = "".join(
        f'[[registries]]\naccount = "{number:012}"\nregion = "eu-west-1"\nrepositories = ["{part}-{number}/*"]\n'
        f'[[registries.replicas]]\naccount = "{number:012}"\nregion = "eu-central-1"\n'
        for number in range(accounts)
        for part in ("team", "base")
    )
    before, _, rest = configurations.text("public").partition("[[registries]]")
    conflicts = found(f"{before}{tables}[proxy.exposure]{rest.partition('[proxy.exposure]')[2]}")
    assert [conflict.setting for conflict in conflicts] == (["registries"] if is_refused else [])
    for conflict in conflicts:
        assert "tokens of 122 ECR hosts" in conflict.cause
        assert conflict.cause.endswith("and Kubernetes allows 1,048,576")
        assert conflict.fix.startswith("name at most 120 hosts")


def test_a_private_api_endpoint_needs_a_lambda_in_the_vpc() -> None:
    text = configurations.text("public").replace('name = "shared"', 'name = "shared"\npublic_endpoint = false')
    (conflict,) = found(text)
    assert conflict.setting == "cluster.public_endpoint = false"
    assert settings_to_change(conflict) == ["cluster.vpc_id", "cluster.subnet_ids", "cluster.security_group_id"]


def test_a_canary_needs_a_lambda_in_the_vpc() -> None:
    (conflict,) = found(configurations.text("public") + '[canary]\nrepository = "team/canary"\nreference = "latest"\n')
    assert conflict.setting == "canary"
    assert settings_to_change(conflict) == ["cluster.vpc_id", "cluster.subnet_ids", "cluster.security_group_id"]


def test_without_nat_every_missing_endpoint_is_named() -> None:
    assert missing_endpoints(without("[endpoints]", "create", "route_table_ids")) == [
        "ecr.dkr",
        "s3",
        "ec2",
        "elasticloadbalancing",
        "ecr.api",
        "eks",
        "lambda",
    ]


@pytest.mark.parametrize(
    ("replicas", "needed"), [(2, 370), (3, 555), (4, 740), (5, 555), (9, 555), (16, 740), (50, 740)]
)
def test_behind_the_load_balancer_the_rollout_timeout_allows_for_all_pods(replicas: int, needed: int) -> None:
    def allowing(seconds: int) -> str:
        text = configurations.text("nlb").replace("[proxy]\n", f"[proxy]\nreplicas = {replicas}\n")
        return text.replace("rollout_timeout_seconds = 780", f"rollout_timeout_seconds = {seconds}")

    (conflict,) = found(allowing(needed - 1))
    assert conflict.setting == f"refresh.rollout_timeout_seconds = {needed - 1}"
    assert re.findall(r"\d+", conflict.fix) == [str(needed)]
    assert found(allowing(needed)) == []


def test_the_default_rollout_timeout_is_too_short_only_behind_the_load_balancer() -> None:
    (conflict,) = found(without("rollout_timeout_seconds"))
    assert conflict.setting == "refresh.rollout_timeout_seconds = 300"
    assert found(configurations.text("ingress")) == []


def test_existing_endpoints_count_as_created_ones() -> None:
    assert found(without("route_table_ids").replace("create = ", "existing = ")) == []


def test_a_lambda_outside_the_vpc_adds_no_endpoints() -> None:
    text = without("subnet_ids", "public_endpoint", "create", "route_table_ids")
    assert missing_endpoints(text) == ["ecr.dkr", "s3", "ec2", "elasticloadbalancing"]


def test_only_the_nlb_exposure_needs_the_endpoints_of_the_load_balancer_controller() -> None:
    text = without("create", "route_table_ids").split("[proxy.exposure]")[0] + '[proxy.exposure]\nkind = "service"'
    assert missing_endpoints(text) == ["ecr.dkr", "s3", "ecr.api", "eks", "lambda"]


def test_eks_auto_mode_needs_no_endpoints_because_it_runs_outside_of_the_vpc() -> None:
    text = without("create", "route_table_ids").replace('kind = "nlb"', 'kind = "nlb"\ncontroller = "eks-auto-mode"')
    assert missing_endpoints(text) == ["ecr.dkr", "s3", "ecr.api", "eks", "lambda"]


def test_with_external_manifests_and_a_known_api_address_the_lambda_needs_only_ecr_api() -> None:
    address = f'endpoint = "https://10.1.0.9"\ncertificate_authority = "{CERTIFICATE_AUTHORITY}"\n[endpoints]'
    text = 'manifests = "external"\n' + without("create", "route_table_ids").replace("[endpoints]", address)
    text = text.replace("[proxy]", '[proxy]\nresolver = "172.20.0.10"')
    assert missing_endpoints(text) == ["ecr.dkr", "s3", "ec2", "elasticloadbalancing", "ecr.api"]


def test_with_external_manifests_the_lambda_needs_eks_for_the_api_address() -> None:
    text = 'manifests = "external"\n' + without("create", "route_table_ids")
    assert missing_endpoints(text)[-2:] == ["ecr.api", "eks"]


def test_with_kubectl_and_a_known_api_address_kubectl_needs_eks() -> None:
    address = f'endpoint = "https://10.1.0.9"\ncertificate_authority = "{CERTIFICATE_AUTHORITY}"\n[endpoints]'
    text = without("create", "route_table_ids").replace("[endpoints]", address)
    text = text.replace("[proxy]", '[proxy]\nresolver = "172.20.0.10"')
    assert missing_endpoints(text)[-3:] == ["ecr.api", "eks", "lambda"]


def test_without_nat_no_endpoint_leads_to_a_replica() -> None:
    replica = 'replicas = [{ account = "123456789012", region = "ap-southeast-4" }]\n'
    (conflict,) = found(configurations.text("nlb").replace("[[registries]]\n", f"[[registries]]\n{replica}", 1))
    assert conflict.setting == "cluster.nat = false"
    assert "registries[0].replicas[0].region = ap-southeast-4" in conflict.cause
    assert settings_to_change(conflict) == ["cluster.nat"]


def test_without_nat_a_registry_in_another_region_and_a_public_proxy_image_conflict() -> None:
    text = without("image").replace(
        'account = "123456789012"\nregion = "ap-southeast-2"', 'account = "123456789012"\nregion = "eu-west-1"'
    )
    registry, image = found(text)
    assert (registry.setting, image.setting) == ("cluster.nat = false", "cluster.nat = false")
    assert "registries[0].region = eu-west-1" in registry.cause
    assert settings_to_change(registry) == ["cluster.nat"]
    assert "proxy.image = public.ecr.aws/nginx/nginx:1.30.6" in image.cause
    assert settings_to_change(image) == ["proxy.image"]


@pytest.mark.parametrize(
    ("text", "setting", "to_change"),
    [
        (
            without("vpc_id", "security_group_id", "subnet_ids", "public_endpoint", "nat", "create", "route_table_ids"),
            'proxy.exposure.kind = "nlb"',
            ["cluster.vpc_id", "cluster.security_group_id"],
        ),
        (
            configurations.text("public") + '[endpoints]\ncreate = ["s3"]\nroute_table_ids = ["rtb-12345678"]\n',
            "endpoints.create",
            ["cluster.vpc_id", "cluster.security_group_id"],
        ),
        (
            without("subnet_ids", "public_endpoint", "nat"),
            "endpoints.create",
            ["endpoints.subnet_ids", "cluster.subnet_ids"],
        ),
        (
            configurations.text("ingress").replace("subnet_ids", "# subnet_ids"),
            "cluster.vpc_id",
            ["cluster.subnet_ids", "cluster.vpc_id"],
        ),
    ],
)
def test_settings_of_a_vpc_are_complete_or_absent(text: str, setting: str, to_change: list[str]) -> None:
    (conflict,) = found(text)
    assert (conflict.setting, settings_to_change(conflict)) == (setting, to_change)
