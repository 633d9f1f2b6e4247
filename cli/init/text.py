"""The text of the settings file, with comments. Pure."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice

from cli.init.draft import Draft, groups_of, opened_by
from lambda_fn.contract.registries import ecr_hosts

_NLB_TIMEOUT = "rollout_timeout_seconds = 780 # a load balancer takes minutes to find a new pod healthy"
_MIRROR = "platform/nginx:1.30.6"
CLASS_NAME, _TLS_SECRET = "nginx", "registry-tls"
_LISTED = 50
"""The patterns that could be opened, besides those that are: an account has thousands of names without a slash."""


def settings_text(draft: Draft, *, schema: str | None = None) -> str:
    """The file.

    Args:
        draft: What it says.
        schema: The path from the file to its JSON Schema, for editors; None where it has none.
    """
    parts = (
        _head(draft, schema),
        _cluster(draft),
        _endpoints(draft),
        _registry(draft),
        _page(draft),
        ["[refresh]", _NLB_TIMEOUT] if draft.kind == "nlb" else [],
        _proxy(draft),
        _exposure(draft),
        _alarms(),
    )
    return "\n\n".join("\n".join(lines) for lines in map(list, parts) if lines) + "\n"


def _head(draft: Draft, schema: str | None) -> Iterator[str]:
    if schema:
        yield f"#:schema {schema}"
    yield "# Written by `frontdoor init`. docs/configuration.md explains every key; what is left out has a default."
    yield "# Next: frontdoor check, then make synth, and make deploy."
    yield ""
    yield f"domain = {_quoted(draft.domain)}"
    yield "# Shown to clients whose pull fails or that try to push: a text or a URL."
    yield '# contact = "https://wiki.example.net/registry"'


def _cluster(draft: Draft) -> Iterator[str]:
    cluster = draft.cluster
    known = ", ".join(
        [
            *([f"Kubernetes {cluster.version}"] if cluster.version else []),
            *([f"authentication mode {cluster.authentication_mode}"] if cluster.authentication_mode else []),
        ]
    )
    yield "[cluster]"
    yield f"name = {_quoted(cluster.name)}" + (f" # {known}" if known else "")
    yield f"region = {_quoted(draft.region)}"
    yield '# namespace = "registry" # nothing else may use it'
    if draft.subnets and cluster.security_group_id:
        way = "a route to the internet by NAT" if draft.has_nat else "no route to the internet"
        yield f"# The Lambda runs in these private subnets, which have {way}."
        yield f"vpc_id = {_quoted(cluster.vpc_id or '')}"
        yield f"subnet_ids = {_listed(subnet.id for subnet in draft.subnets)}"
        yield f"security_group_id = {_quoted(cluster.security_group_id)}"
    elif draft.kind == "nlb" and cluster.vpc_id and cluster.security_group_id:
        yield f"vpc_id = {_quoted(cluster.vpc_id)}"
        yield f"security_group_id = {_quoted(cluster.security_group_id)}"
    elif cluster.public_endpoint:
        yield "# The Lambda runs outside of the VPC and reaches the cluster's public endpoint. To run it inside, set"
        yield "# vpc_id, subnet_ids and security_group_id."
    if not cluster.public_endpoint:
        yield "public_endpoint = false"
    if not draft.has_nat:
        yield "nat = false"


def _endpoints(draft: Draft) -> Iterator[str]:
    if draft.has_nat or not (draft.endpoints or draft.missing_endpoints):
        return
    yield "[endpoints]"
    if draft.endpoints:
        yield f"existing = {_listed(draft.endpoints)}"
    if draft.missing_endpoints:
        yield f"create = {_listed(draft.missing_endpoints)} # and what else runs in the VPC needs"
    if "s3" in draft.missing_endpoints:
        tables = sorted({subnet.route_table_id for subnet in draft.subnets})
        yield f"route_table_ids = {_listed(tables)} # and those of the nodes' subnets"


def _registry(draft: Draft) -> Iterator[str]:
    yield "[[registries]]"
    yield f"account = {_quoted(draft.account)}"
    yield f"region = {_quoted(draft.region)}"
    yield "# Every client that reaches the domain may pull these without a login, and nothing else."
    known = bool(draft.repositories)
    if known:
        yield "# The numbers say how many repositories each opens today."
    yield "repositories = ["
    for pattern in draft.patterns:
        yield f"    {_quoted(pattern)}," + (f" # {opened_by(pattern, draft.repositories)}" if known else "")
    closed = groups_of(draft.repositories, draft.patterns)
    for pattern, count in islice(closed.items(), _LISTED):
        yield f"    # {_quoted(pattern)}, # {count}"
    if len(closed) > _LISTED:
        yield f"    # and {len(closed) - _LISTED} more"
    yield "]"


def _page(draft: Draft) -> Iterator[str]:
    yield "# [page]"
    yield f"# catalogue = true # https://{draft.domain}/ then names all repositories and tags to every client"


def _proxy(draft: Draft) -> Iterator[str]:
    if draft.has_nat:
        yield "# [proxy]"
    else:
        yield "[proxy]"
        yield "# Without a route to the internet the nodes pull nginx from your ECR. Copy it there."
        yield f"image = {_quoted(f'{ecr_hosts(draft.account, draft.region)[0]}/{_MIRROR}')}"
    yield '# monitoring_namespace = "monitoring" # whose Prometheus reads the metrics of the pods'


def _exposure(draft: Draft) -> Iterator[str]:
    yield "[proxy.exposure]"
    yield f"kind = {_quoted(draft.kind)} # docs/exposure.md compares the kinds"
    match draft.kind:
        case "ingress":
            yield f"class_name = {_quoted(CLASS_NAME)} # your controller's IngressClass: kubectl get ingressclass"
            yield f"tls_secret = {_quoted(_TLS_SECRET)} # leave it out with the class alb, which uses ACM"
            yield "# The controller's pods and nothing else: their X-Forwarded-For names the clients."
            yield '# trusted_proxies = ["10.1.2.0/24"]'
        case "gateway":
            namespace, name = draft.gateway
            yield f"gateway = {_quoted(name)}"
            yield f"gateway_namespace = {_quoted(namespace)}"
            yield "# The Gateway's proxies and nothing else: their X-Forwarded-For names the clients."
            yield '# trusted_proxies = ["10.1.2.0/24"]'
        case "nlb":
            yield from _nlb(draft)
        case "pod":
            yield f"tls_secret = {_quoted(_TLS_SECRET)} # it must be in the namespace before the first deployment"
        case "service":
            yield "# What ends TLS before the Service, and nothing else: its X-Forwarded-For names the clients."
            yield '# trusted_proxies = ["10.1.2.0/24"]'


def _nlb(draft: Draft) -> Iterator[str]:
    if draft.cluster.has_auto_mode:
        yield 'controller = "eks-auto-mode"'
    if draft.certificate_arn:
        yield f"certificate_arn = {_quoted(draft.certificate_arn)}"
    elif draft.public_zone:
        yield f"certificate_zone_id = {_quoted(draft.public_zone.id)} # {draft.public_zone.name}: for a new certificate"
    else:
        yield f"tls_secret = {_quoted(_TLS_SECRET)} # no certificate in ACM was found, and no public zone for one"
    if draft.private_zone:
        yield f"alias_zone_id = {_quoted(draft.private_zone.id)} # {draft.private_zone.name}"
    yield ""
    yield "[proxy.exposure.subnets]"
    for subnet in draft.subnets:
        yield f"{subnet.id} = {_quoted(subnet.cidr)} # {subnet.zone}"


def _alarms() -> Iterator[str]:
    yield "# [alarms]"
    yield '# emails = ["on-call@example.net"] # without it alarms are only seen on the dashboard'


def _listed(values: Iterable[str]) -> str:
    return f"[{', '.join(map(_quoted, values))}]"


def _quoted(value: str) -> str:
    """A TOML basic string: https://toml.io/en/v1.0.0#string. Its escapes are those of JSON."""
    return json.dumps(value)
