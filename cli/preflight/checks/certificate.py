"""Whether the load balancer's certificate and the domain's zones fit to the domain."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from cli.account.zones import names_domain
from cli.doctor.aws_calls import get_or_none
from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, warning
from lambda_fn.settings.exposure import NlbExposure

RENEW_BEFORE = timedelta(days=14)


def run(context: CheckContext) -> Iterator[Finding]:
    """Of `kind = "nlb"`: the certificate of ACM, the zone that validates one, and the zone of the alias."""
    exposure = context.settings.proxy.exposure
    if not isinstance(exposure, NlbExposure):
        return
    domain = context.settings.domain
    if exposure.certificate_arn:
        found = get_or_none(context.client("acm").describe_certificate, CertificateArn=exposure.certificate_arn)
        yield _certificate(domain, exposure.certificate_arn, found and found["Certificate"], context.now)
    if exposure.certificate_zone_id:
        yield _zone(context, "certificate_zone_id", exposure.certificate_zone_id, private=False)
    if exposure.alias_zone_id:
        yield _zone(context, "alias_zone_id", exposure.alias_zone_id, private=None)


def _certificate(domain: str, arn: str, certificate: Mapping[str, Any] | None, now: datetime) -> Finding:
    """https://docs.aws.amazon.com/acm/latest/APIReference/API_CertificateDetail.html ."""
    if certificate is None:
        return failed(f"ACM has no certificate {arn}", "correct proxy.exposure.certificate_arn")
    if not names_domain(certificate, domain):
        names = ", ".join(certificate.get("SubjectAlternativeNames") or [certificate.get("DomainName", "")])
        return failed(f"the certificate {arn} is for {names}, and not for {domain}", "name a certificate of the domain")
    if (status := certificate["Status"]) != "ISSUED":
        return failed(f"the certificate {arn} is {status}", "validate or renew it in ACM; a listener needs it issued")
    return validity(f"the certificate {arn}", certificate["NotAfter"], now)


def validity(title: str, expires_at: datetime, now: datetime) -> Finding:
    """How long a certificate is valid."""
    if expires_at <= now:
        return failed(f"{title} expired on {expires_at:%F}", "renew it")
    if expires_at - now < RENEW_BEFORE:
        return warning(f"{title} expires on {expires_at:%F}", "renew it, and find out why it was not renewed")
    return ok(f"{title} is for the domain, and valid until {expires_at:%F}")


def _zone(context: CheckContext, key: str, zone_id: str, *, private: bool | None) -> Finding:
    """A zone that exists, that has the domain, and that is public or private as needed."""
    setting, domain = f"proxy.exposure.{key} = {zone_id}", context.settings.domain
    try:
        found = context.client("route53").get_hosted_zone(Id=zone_id)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchHostedZone":
            raise
        return failed(f"{setting}: your account has no such zone", "correct it, or leave it out")
    zone = found["HostedZone"]
    name, is_private = zone["Name"].rstrip("."), bool(zone.get("Config", {}).get("PrivateZone"))
    if not f".{domain}".endswith(f".{name}"):
        return failed(f"{setting}: the zone is {name}, which does not have {domain}", "name the domain's zone")
    if private is False and is_private:
        return failed(f"{setting}: the zone is private, and ACM validates in a public one", "name a public zone")
    vpc = context.settings.cluster.vpc_id
    if is_private and vpc not in {one["VPCId"] for one in found.get("VPCs", [])}:
        return warning(
            f"{setting}: the private zone is not associated with {vpc}, so the domain does not resolve there",
            f"aws route53 associate-vpc-with-hosted-zone --hosted-zone-id {zone_id} --vpc "
            f"VPCRegion={context.settings.cluster.region},VPCId={vpc}",
        )
    return ok(f"{setting} is the {'private' if is_private else 'public'} zone {name}")


CHECK = Check(
    "certificate", Category.AWS, run, needs=("aws",), runbook="docs/exposure.md#nlb-a-load-balancer-of-the-stack"
)
