"""Whether the TLS Secret of the settings is in the cluster, and is for the domain."""

import base64
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from cryptography import x509

from cli.account.zones import names_domain
from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, warning
from cli.preflight.checks.certificate import validity

_TYPE = "kubernetes.io/tls"


def run(context: CheckContext) -> Iterator[Finding]:
    """The Secret that nginx or the Ingress serves; nothing where TLS is terminated by something else."""
    exposure = context.settings.proxy.exposure
    if not (name := exposure.certificate_secret):
        return
    found = context.kubernetes.find_named("Secret", name)
    if found is not None:
        yield _secret(name, found, context.settings.domain, context.now)
        return
    namespace = context.settings.cluster.namespace
    message = f"there is no Secret {name} in namespace {namespace}"
    has_place = context.kubernetes.find({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    hint = ("" if has_place else f"kubectl create namespace {namespace}; ") + (
        f"kubectl -n {namespace} create secret tls {name} --cert=registry.crt --key=registry.key, unless cert-manager "
        "writes it"
    )
    if exposure.pod_tls_secret:
        yield failed(f"{message}: the pods wait for it, and the deployment fails", hint)
    else:
        yield warning(f"{message}: clients get no certificate of the domain", hint)


def _secret(name: str, secret: Mapping[str, Any], domain: str, now: datetime) -> Finding:
    hint = "write the Secret again: kubectl create secret tls"
    if secret.get("type") != _TYPE:
        return failed(f"Secret {name} has the type {secret.get('type')} instead of {_TYPE}", hint)
    try:
        pem = base64.b64decode((secret.get("data") or {}).get("tls.crt", ""))
        certificate = x509.load_pem_x509_certificate(pem)
        names = _names(certificate)
    except ValueError:
        return failed(f"tls.crt of Secret {name} is not a certificate in PEM", hint)
    if not names_domain({"SubjectAlternativeNames": names}, domain):
        return failed(
            f"the certificate in Secret {name} is for {', '.join(names) or 'no name'}, and not for {domain}",
            "write a certificate of the domain into it",
        )
    return validity(f"the certificate in Secret {name}", certificate.not_valid_after_utc, now)


def _names(certificate: x509.Certificate) -> list[str]:
    """The names that clients compare; they do not look at the subject (RFC 9525)."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return extension.value.get_values_for_type(x509.DNSName)


CHECK = Check(
    "tls-secret",
    Category.CLUSTER,
    run,
    needs=("namespace",),
    runbook="docs/exposure.md#certificates-from-cert-manager",
)
