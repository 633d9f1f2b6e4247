"""`frontdoor manifests`: the Kubernetes objects as YAML, for GitOps or `kubectl apply -f -`."""

from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import TypeAdapter

from cli.node_files import node_files
from cli.options import CONFIG, Config, valid
from cli.settings_file import read
from lambda_fn.contract.errors import SettingsError
from lambda_fn.settings.fields import TargetGroupArn
from lambda_fn.settings.mirrors import Mirror

if TYPE_CHECKING:
    from k8s_manifests.exposures import Exposure, TargetGroups

_MISSING_BINDING = (
    "the objects hold no TargetGroupBinding to the stack's output {output}, so the load balancer has no pods there, "
    'because its ARN is not set. Fix: with manifests = "external" set proxy.exposure.{setting} to the output; '
    "otherwise the stack applies the binding, and {option} adds it here"
)


def _arn(text: str) -> str:
    return valid(TypeAdapter(TargetGroupArn), text)


def manifests(
    *,
    config: Config = CONFIG,
    access: Annotated[
        bool,
        typer.Option(
            "--access",
            help="Print only the Namespace, the rights in it and the network access: with "
            'manifests = "namespaced" an administrator of the cluster applies them before the first deployment.',
        ),
    ] = False,
    hosts_toml: Annotated[
        bool,
        typer.Option(
            "--hosts-toml",
            help="Print the files with which nodes pull images of public registries through the front door: hosts.toml "
            "of containerd, and those of Docker and Podman. For registries with pull_through and upstream.",
        ),
    ] = False,
    target_group_arn: Annotated[
        str | None,
        typer.Option(
            metavar="ARN",
            parser=_arn,
            help='With proxy.exposure.kind = "nlb": the output TargetGroupArn, for a TargetGroupBinding.',
        ),
    ] = None,
    proxy_protocol_target_group_arn: Annotated[
        str | None,
        typer.Option(metavar="ARN", parser=_arn, help="The same for the output ProxyProtocolTargetGroupArn."),
    ] = None,
) -> None:
    """Print the Kubernetes objects as YAML.

    They are for GitOps or kubectl apply -f -.
    """
    settings = read(config)
    if hosts_toml:
        _print_node_files(settings.domain, [each.mirror for each in settings.registries if each.mirror])
        return
    # Importing the charts' library takes seconds. A wrong settings file must not wait for it.
    from cdk8s import Yaml  # noqa: PLC0415

    from k8s_manifests import access_documents, documents  # noqa: PLC0415
    from k8s_manifests.exposures import TargetGroups, exposure_of  # noqa: PLC0415

    given = TargetGroups(target_group_arn, proxy_protocol_target_group_arn)
    exposure = exposure_of(settings, target_groups=given)
    _check_use_of_arns(given, exposure, access=access)
    if access:
        typer.echo(Yaml.stringify(*access_documents(settings)), nl=False)
        return
    _report_missing_bindings(exposure)
    typer.echo(Yaml.stringify(*documents(settings, target_groups=given)), nl=False)


def _print_node_files(domain: str, mirrors: list[Mirror]) -> None:
    files = [*node_files(domain, mirrors)]
    if not files:
        raise SettingsError(
            "--hosts-toml: no registry has an upstream whose mirror a node could use. Fix: set pull_through and "
            "upstream in a table of [[registries]] with repositories"
        )
    typer.echo("\n".join(files), nl=False)


def _check_use_of_arns(given: "TargetGroups", exposure: "Exposure", *, access: bool) -> None:
    """Refuse an ARN that no object would name."""
    from k8s_manifests.exposures.target_groups import TARGET_GROUP_SETTINGS, option_of  # noqa: PLC0415 - as above

    if exposure.has_load_balancer and not access:
        return
    for group, setting in TARGET_GROUP_SETTINGS.items():
        if arn := getattr(given, group):
            cause = "--access" if access else f'proxy.exposure.kind = "{exposure.kind}"'
            raise SettingsError(
                f"{option_of(setting)} = {arn}: {cause} prints no TargetGroupBinding. Fix: leave it out"
            )


def _report_missing_bindings(exposure: "Exposure") -> None:
    """Say for which target groups the objects have no binding."""
    from k8s_manifests.exposures.target_groups import TARGET_GROUP_SETTINGS, option_of, output_of  # noqa: PLC0415 - as above

    if not exposure.has_load_balancer:
        return
    for group, setting in TARGET_GROUP_SETTINGS.items():
        if not getattr(exposure.target_groups, group):
            missing = _MISSING_BINDING.format(setting=setting, output=output_of(setting), option=option_of(setting))
            typer.echo(f"frontdoor: {missing}", err=True)
