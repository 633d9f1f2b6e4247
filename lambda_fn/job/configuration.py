"""The nginx configuration of one installation: the template rendered with what the settings say. Pure."""

from lambda_fn.contract.objects import TEMPLATE_KEY
from lambda_fn.contract.registries import layer_hosts, layer_url_regex
from lambda_fn.contract.repository_pattern import any_of
from lambda_fn.job import render
from lambda_fn.settings.models import Settings


def rendered(settings: Settings, hosts: tuple[str, ...], resolver: str, template: str) -> str:
    """The configuration that `template` renders to.

    Args:
        settings: The deployed settings.
        hosts: The ECR host of each registry, in the order of the settings.
        resolver: The DNS server's address, IPv6 in brackets.
        template: The text of the template.

    Raises:
        TemplateError: It does not render.
    """
    upstreams = [
        render.Upstream(
            host=host,
            repositories=list(entry.repositories),
            pattern=any_of(entry.repositories),
        )
        for host, entry in zip(hosts, settings.registries, strict=True)
    ]
    inputs = render.Inputs(
        domain=settings.domain,
        resolver=resolver,
        registries=upstreams,
        layer_hosts=list(dict.fromkeys(layer for entry in settings.registries for layer in layer_hosts(entry.region))),
        layer_urls=layer_url_regex(),
        tls=settings.proxy.pod_tls_secret is not None,
        drain_seconds=settings.proxy.drain_seconds,
        cache=settings.proxy.cache,
        timeouts=settings.proxy.timeouts,
        blobs=settings.proxy.blobs,
        contact=settings.contact or "",
    )
    return render.render(template, inputs, source=f"{TEMPLATE_KEY} of ConfigMap {settings.names.template_config_map}")
