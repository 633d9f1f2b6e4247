"""Whether the domain answers as this proxy: a registry without a login that refuses a push."""

from collections.abc import Iterator
from http import HTTPStatus

import urllib3
from urllib3.exceptions import HTTPError

from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok


def run(context: CheckContext) -> Iterator[Finding]:
    """`/v2/` and the start of a push."""
    domain = context.settings.domain
    with urllib3.PoolManager(
        retries=False,
        ssl_context=context.trusted,
        timeout=urllib3.Timeout(connect=context.connect_timeout_seconds, read=context.timeout_seconds),
    ) as http:
        try:
            yield _answer(http, domain)
        except HTTPError as error:
            yield failed(
                f"the connection to {domain} broke: {type(error).__name__}",
                "check the pods and the load balancer or Ingress in front of them",
                fatal=True,
            )


def _answer(http: urllib3.PoolManager, domain: str) -> Finding:
    ping = http.request("GET", f"https://{domain}/v2/", redirect=False)
    if ping.status != HTTPStatus.OK or ping.headers.get("Docker-Distribution-Api-Version") != "registry/2.0":
        return failed(
            f"https://{domain}/v2/ answered {ping.status}: it is not a registry without a login",
            "check that the domain leads to the proxy's Service, and that its pods are ready",
        )
    # "-" is not a valid repository name: no registry starts an upload, if the domain leads to one that takes pushes.
    push = http.request("POST", f"https://{domain}/v2/-/blobs/uploads/", redirect=False)
    if push.status != HTTPStatus.METHOD_NOT_ALLOWED:
        return failed(
            f"https://{domain} leads to another registry: it answered {push.status} to a push, not 405",
            "correct the DNS record or the load balancer",
        )
    return ok(f"https://{domain}/v2/ answers without a login and refuses a push")


CHECK = Check("registry", Category.DOMAIN, run, needs=("tls",), runbook="docs/operations.md#when-a-pull-fails")
