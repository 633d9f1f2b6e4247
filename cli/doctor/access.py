"""Whom the cluster takes the stack's roles for: its authentication mode, and their access entries."""

from collections.abc import Iterator

from cli.doctor.asking import known
from cli.doctor.finding import Finding, failure, fine
from cli.doctor.site import Site
from cli.doctor.stack import GONE, Resources
from k8s_manifests.deployer import deployer_group

REFRESHER, DEPLOYER = "IdentityRole", "WorkloadRole"
"""How the logical ids of the two roles begin, after the constructs that make them."""

_CHECK = "access entry"


def examine(site: Site, found: Resources) -> Iterator[Finding]:
    """Whether the cluster looks at access entries; the Lambda's, and that of a kubectl which is no administrator."""
    cluster = site.settings.cluster.name
    described = site.aws.client("eks", config=site.briefly).describe_cluster(name=cluster)["cluster"]
    if described.get("accessConfig", {}).get("authenticationMode") == "CONFIG_MAP":
        yield failure(
            "cluster",
            f"cluster {cluster} has authentication mode CONFIG_MAP: it knows aws-auth alone and ignores access entries",
            f"aws eks update-cluster-config --region {site.settings.cluster.region} --name {cluster} --access-config "
            "authenticationMode=API_AND_CONFIG_MAP (docs/operations.md, A cluster that knows only aws-auth)",
        )
        return
    for role in found.of("AWS::IAM::Role", REFRESHER):
        yield _entry(site, role, "the Lambda", site.settings.refresher_group)
    if site.settings.manifests == "namespaced":
        for role in found.of("AWS::IAM::Role", DEPLOYER):
            yield _entry(site, role, "the deployment's kubectl", deployer_group(site.settings))


def _entry(site: Site, role: str, whose: str, group: str) -> Finding:
    cluster, region = site.settings.cluster.name, site.settings.cluster.region
    made = known(site.aws.client("iam", config=site.briefly).get_role, RoleName=role)
    if made is None:
        return failure(_CHECK, f"the role of {whose}, {role}, is gone, and its access entry leads nowhere", GONE)
    arn = made["Role"]["Arn"]
    way_out = f"--region {region} --cluster-name {cluster} --principal-arn {arn} --kubernetes-groups {group}"
    eks = site.aws.client("eks", config=site.briefly)
    entry = known(eks.describe_access_entry, clusterName=cluster, principalArn=arn)
    if entry is None:
        return failure(
            _CHECK, f"cluster {cluster} has none for the role of {whose}", f"aws eks create-access-entry {way_out}"
        )
    groups = entry["accessEntry"].get("kubernetesGroups", [])
    if group not in groups:
        return failure(
            _CHECK,
            f"the role of {whose} is in {', '.join(groups) or 'no group'}, not in {group}",
            f"aws eks update-access-entry {way_out}",
        )
    return fine(_CHECK, f"the role of {whose} is in group {group}")
