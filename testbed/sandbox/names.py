"""The sandbox's names and addresses: the one place where each of them is written. Pure."""

from dataclasses import dataclass

from lambda_fn.contract.registries import ecr_hosts, layer_hosts

CDN_HOST = "production.cloudflare.docker.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Names and addresses.

    Attributes:
        account: Owns the private registry.
        other_account: A second account, whose registry the same token reads.
        domain: The public name of the front door.
        new_domain: The name that a deployment changes it to; in the same certificate.
        refresher_role: The role the Lambda runs as.
        replica_region: Where the account has a second registry, with a layer bucket of its own.
        cdn_host: Where an upstream of pull-through caches has its blobs.
        layer_server_address: Of `testbed.sandbox.layer_server`, while it is in S3's place.
    """

    account: str = "123456789012"
    other_account: str = "210987654321"
    region: str = "ap-southeast-2"
    replica_region: str = "eu-west-1"
    cluster: str = "shared"
    namespace: str = "registry"
    domain: str = "registry.frontdoor.test"
    new_domain: str = "images.frontdoor.test"
    node: str = "node1"
    refresher_role: str = "frontdoor-refresher"
    app_repository: str = "team/app"
    app_tag: str = "1.4"
    proxy_repository: str = "frontdoor/nginx"
    cdn_host: str = CDN_HOST

    dns_address: str = "192.0.2.1"
    api_address: str = "192.0.2.2"
    aws_address: str = "192.0.2.10"
    ecr_address: str = "192.0.2.20"
    replica_ecr_address: str = "192.0.2.21"
    s3_address: str = "192.0.2.30"
    layer_server_address: str = "192.0.2.31"
    replica_s3_address: str = "192.0.2.32"
    api_port: int = 6443
    pod_cidr: str = "10.244.0.0/24"
    service_cidr: str = "10.96.0.0/16"
    service_api_address: str = "10.96.0.1"

    @property
    def refresher_role_arn(self) -> str:
        """The role the Lambda runs as."""
        return f"arn:aws:iam::{self.account}:role/{self.refresher_role}"

    @property
    def ecr_host(self) -> str:
        """The private registry's own host name."""
        return self.registry_host(self.account)

    @property
    def ecr_hosts(self) -> tuple[str, ...]:
        """Host names of the registries of the region."""
        return self.registry_host(self.account), self.registry_host(self.other_account)

    @property
    def replica_host(self) -> str:
        """Host name of the account's registry in the other region."""
        return ecr_hosts(self.account, self.replica_region)[0]

    def registry_host(self, account: str) -> str:
        """The host name of an account's registry, as `proxyEndpoint` gives it."""
        return ecr_hosts(account, self.region)[0]

    @property
    def layer_host(self) -> str:
        """The host of a blob's Location."""
        return layer_hosts(self.region)[0]

    @property
    def replica_layer_host(self) -> str:
        """The host of a blob's Location in the other region."""
        return layer_hosts(self.replica_region)[0]

    @property
    def asset_bucket(self) -> str:
        """The bucket `cdk bootstrap` makes; `hnb659fds` is CDK's default qualifier."""
        return f"cdk-hnb659fds-assets-{self.account}-{self.region}"

    @property
    def s3_host(self) -> str:
        """S3 in path style."""
        return f"s3.{self.region}.amazonaws.com"

    @property
    def aws_hosts(self) -> tuple[str, ...]:
        """The AWS APIs a refresh speaks to, and those of a deployment and its examination."""
        refresh = ("sts", "eks", "api.ecr")
        deployment = (
            "cloudformation", "ssm", "lambda", "scheduler", "sqs", "monitoring", "logs", "ec2", "sns", "kms", "events",
            "elasticloadbalancing",
        )  # fmt: skip
        return (
            *(f"{name}.{self.region}.amazonaws.com" for name in refresh + deployment),
            f"api.ecr.{self.replica_region}.amazonaws.com",
            "iam.amazonaws.com",
            "route53.amazonaws.com",
        )

    @property
    def names(self) -> dict[str, tuple[str, ...]]:
        """Address -> the host names that resolve to it, everywhere inside the sandbox and in its pods."""
        return {
            "127.0.0.1": ("localhost",),
            self.api_address: (self.node, *self.api_names),
            self.aws_address: self.aws_hosts,
            self.ecr_address: self.ecr_hosts,
            self.replica_ecr_address: (self.replica_host,),
            self.replica_s3_address: (self.replica_layer_host,),
            self.s3_address: (self.s3_host, self.layer_host, f"{self.asset_bucket}.{self.s3_host}", self.cdn_host),
        }

    @property
    def addresses(self) -> tuple[str, ...]:
        """Addresses of the network namespace itself, each a /32 on `lo`."""
        clouds = self.aws_address, self.ecr_address, self.s3_address, self.layer_server_address
        replica = self.replica_ecr_address, self.replica_s3_address
        return self.dns_address, self.api_address, *clouds, *replica

    @property
    def api_names(self) -> tuple[str, ...]:
        """Host names of the API server."""
        return "kubernetes.default.svc.cluster.local", "kubernetes.default.svc"

    @property
    def api_url(self) -> str:
        """The Kubernetes API server."""
        return f"https://{self.api_address}:{self.api_port}"

    @property
    def app_image(self) -> str:
        """The image developers pull, at its private address."""
        return f"{self.ecr_host}/{self.app_repository}:{self.app_tag}"
