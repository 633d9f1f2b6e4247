"""The public registries that ECR fills a pull-through cache from: their names, and where their blobs are. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PublicRegistry:
    """One upstream of pull-through cache rules.

    Attributes:
        name: As clients write it, and as containerd names it to a mirror (`?ns=`).
        url: As a cache rule names it.
        needs_credential: Whether ECR makes no rule for it without a credential.
        redirect_hosts: The hosts that it redirects blobs to; a `*` stands for characters of one label.
    """

    name: str
    url: str
    needs_credential: bool
    redirect_hosts: tuple[str, ...]


# Names, URLs and credentials: https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache.html and
# https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreatePullThroughCacheRule.html . ECR has no rule for
# mcr.microsoft.com. The hosts were last looked up in November 2026: what an operator documents, and what it sends a
# client in AWS to, as ECR is one.
PUBLIC_REGISTRIES = (
    # https://docs.docker.com/desktop/setup/allow-list/ ; Cloudflare's hosts left that list in June 2026. Clients in AWS
    # get Docker's bucket (JFrog's knowledge base, article 000004313).
    PublicRegistry(
        "docker.io",
        "registry-1.docker.io",
        needs_credential=True,
        redirect_hosts=(
            "production.cloudfront.docker.com",
            "production.cloudflare.docker.com",
            "docker-images-prod.6aa30f8b08e16409b46e0173d6de2f56.r2.cloudflarestorage.com",
            "docker-images-prod.s3.amazonaws.com",
            "docker-images-prod.s3.dualstack.*.amazonaws.com",
        ),
    ),
    # https://docs.redhat.com/en/documentation/openshift_container_platform/ , "Configuring your firewall"; clients in
    # us-east-1 get the bucket, under either of its names.
    PublicRegistry(
        "quay.io",
        "quay.io",
        needs_credential=False,
        redirect_hosts=(
            "cdn.quay.io",
            "cdn0*.quay.io",
            "quayio-production-s3.s3.amazonaws.com",
            "quayio-production-s3.s3.us-east-1.amazonaws.com",
        ),
    ),
    # https://docs.github.com/en/actions/reference/runners/self-hosted-runners
    PublicRegistry(
        "ghcr.io", "ghcr.io", needs_credential=True, redirect_hosts=("pkg-containers.githubusercontent.com",)
    ),
    # https://github.com/kubernetes/registry.k8s.io/tree/main/cmd/archeio/internal/app : by buckets.go there is a bucket
    # for each region, London's with a name of its own, and a CDN for the others (pull request 328); handlers.go sends
    # clients to Google for what is not in the bucket yet.
    PublicRegistry(
        "registry.k8s.io",
        "registry.k8s.io",
        needs_credential=False,
        redirect_hosts=(
            "prod-registry-k8s-io-*.s3.dualstack.*.amazonaws.com",
            "767373bbdcb8270361b96548387bf2a9ad0d48758c35-eu-west-2.s3.dualstack.eu-west-2.amazonaws.com",
            "cdn.registry.k8s.io",
            "*-docker.pkg.dev",
        ),
    ),
    # https://anywhere.eks.amazonaws.com/docs/getting-started/vsphere/vsphere-prereq/
    PublicRegistry(
        "public.ecr.aws",
        "public.ecr.aws",
        needs_credential=False,
        redirect_hosts=("d2glxqk2uabbnd.cloudfront.net", "d5l0dvt14r5h8.cloudfront.net"),
    ),
    # https://docs.gitlab.com/user/gitlab_com/
    PublicRegistry(
        "registry.gitlab.com",
        "registry.gitlab.com",
        needs_credential=True,
        redirect_hosts=("cdn.registry.gitlab-static.net",),
    ),
    # https://edu.chainguard.dev/chainguard/containers/registry/network-requirements/
    PublicRegistry(
        "cgr.dev",
        "cgr.dev",
        needs_credential=True,
        redirect_hosts=("9236a389bd48b984df91adc1bc924620.r2.cloudflarestorage.com",),
    ),
)
AZURE_NAME = r"[a-z0-9]{5,50}\.azurecr\.io"
"""The name of a registry of Azure, which has one for each customer."""


def public_registry(name: str) -> PublicRegistry:
    """The registry of this name.

    Raises:
        ValueError: ECR has no pull-through cache rules for it.
    """
    for registry in PUBLIC_REGISTRIES:
        if registry.name == name:
            return registry
    if re.fullmatch(AZURE_NAME, name, re.ASCII):
        return _azure_registry(name)
    raise ValueError(f"ECR has no pull-through cache rules for {name!r}")


def _azure_registry(name: str) -> PublicRegistry:
    """A customer's registry: its blobs are in some storage account, or at its own data endpoint in each region.

    https://learn.microsoft.com/en-us/azure/container-registry/container-registry-endpoint-reference
    """
    own = f"{name.removesuffix('.azurecr.io')}.*.data.azurecr.io"
    return PublicRegistry(name, name, needs_credential=True, redirect_hosts=("*.blob.core.windows.net", own))


def url_regex(hosts: Iterable[str]) -> str:
    """An expression for the beginning of an https URL at one of these hosts; for JavaScript and nginx alike.

    It matches nothing where there are none.
    """
    labels = "|".join(host.replace(".", "[.]").replace("*", "[a-z0-9-]*") for host in hosts)
    # nginx takes a `$` in it for a variable.
    return f"^https://(?:{labels})/" if labels else "^(?!)"
