"""The nginx configuration of one installation: the template rendered with what the settings say. Pure."""

from lambda_fn.contract.objects import TEMPLATE_KEY
from lambda_fn.job import credential_guard, render
from lambda_fn.job.template_inputs import inputs_of
from lambda_fn.settings.models import Settings


def rendered(settings: Settings, hosts: tuple[str, ...], resolver: str, template: str) -> str:
    """The configuration that `template` renders to.

    Args:
        settings: The deployed settings.
        hosts: The ECR host of each registry, in the order of the settings.
        resolver: The DNS server's address, IPv6 in brackets.
        template: The text of the template.

    Raises:
        TemplateError: It does not render, or uses the credential for ECR in a line that is not a shipped one.
    """
    source = f"{TEMPLATE_KEY} of ConfigMap {settings.names.template_config_map}"
    credential_guard.check(template, source=source)
    return render.render(template, inputs_of(settings, hosts, resolver), source=source)
