"""`python -m k8s_manifests`: print the objects as YAML, for GitOps or `kubectl apply -f -`."""

import argparse
import sys
from pathlib import Path

from cdk8s import Yaml
from pydantic import TypeAdapter, ValidationError

from k8s_manifests import access_documents, documents
from k8s_manifests.exposures import Exposure, TargetGroups, exposure_of
from k8s_manifests.exposures.target_groups import TARGET_GROUP_SETTINGS, option_of, output_of
from lambda_fn.contract.errors import FrontdoorError, SettingsError
from lambda_fn.settings.fields import TargetGroupArn
from lambda_fn.settings.models import Settings
from lambda_fn.settings.parse import parse_toml

WRONG_FILE = 2
"""Exit status for a settings file that cannot be used, as for a wrong command line."""

_MISSING_BINDING = (
    "the objects hold no TargetGroupBinding to the stack's output {output}, so the load balancer has no pods there, "
    'because its ARN is not set. Fix: with manifests = "external" set proxy.exposure.{setting} to the output; '
    "otherwise the stack applies the binding, and {option} adds it here"
)


def main() -> int:
    """Print the objects of the settings file; print only one message if the file is wrong."""
    arguments = _parser().parse_args()
    try:
        settings = _read(arguments.config)
        given = TargetGroups(**{group: getattr(arguments, setting) for group, setting in TARGET_GROUP_SETTINGS.items()})
        exposure = exposure_of(settings, target_groups=given)
        _check_use_of_arns(given, exposure, access=arguments.access)
    except FrontdoorError as error:
        sys.stderr.write(f"ecr-frontdoor: {error}\n")
        return WRONG_FILE
    if arguments.access:
        sys.stdout.write(Yaml.stringify(*access_documents(settings)))
        return 0
    _report_missing_bindings(exposure)
    sys.stdout.write(Yaml.stringify(*documents(settings, target_groups=given)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m k8s_manifests", description="Print the Kubernetes objects of ecr-frontdoor as YAML."
    )
    parser.add_argument(
        "--config", type=Path, default=Path("frontdoor.toml"), metavar="PATH", help="settings file (%(default)s)"
    )
    parser.add_argument(
        "--access",
        action="store_true",
        help="print only the Namespace, the rights in it and the network access: with "
        'manifests = "namespaced" an administrator of the cluster applies them before the first deployment',
    )
    for setting in TARGET_GROUP_SETTINGS.values():
        parser.add_argument(
            option_of(setting),
            type=_arn,
            metavar="ARN",
            help=f'with proxy.exposure.kind = "nlb": the output {output_of(setting)}, for a TargetGroupBinding',
        )
    return parser


def _arn(text: str) -> str:
    try:
        return TypeAdapter(TargetGroupArn).validate_python(text)
    except ValidationError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from error


def _read(path: Path) -> Settings:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")  # bytes that are not text fail later, as TOML
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}; --config PATH takes another file") from error
    return parse_toml(text, str(path))


def _check_use_of_arns(given: TargetGroups, exposure: Exposure, *, access: bool) -> None:
    """Refuse an ARN that no object would name."""
    if exposure.has_load_balancer and not access:
        return
    for group, setting in TARGET_GROUP_SETTINGS.items():
        if arn := getattr(given, group):
            cause = "--access" if access else f'proxy.exposure.kind = "{exposure.kind}"'
            raise SettingsError(
                f"{option_of(setting)} = {arn}: {cause} prints no TargetGroupBinding. Fix: leave it out"
            )


def _report_missing_bindings(exposure: Exposure) -> None:
    """Say for which target groups the objects have no binding."""
    if not exposure.has_load_balancer:
        return
    for group, setting in TARGET_GROUP_SETTINGS.items():
        if not getattr(exposure.target_groups, group):
            missing = _MISSING_BINDING.format(setting=setting, output=output_of(setting), option=option_of(setting))
            sys.stderr.write(f"ecr-frontdoor: {missing}\n")


if __name__ == "__main__":
    sys.exit(main())
