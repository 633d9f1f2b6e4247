"""`python -m k8s_manifests`: print the objects as YAML, for GitOps or `kubectl apply -f -`."""

import argparse
import sys
from pathlib import Path

from cdk8s import Yaml
from pydantic import TypeAdapter, ValidationError

from k8s_manifests import access_documents, documents
from lambda_fn.contract.errors import FrontdoorError, SettingsError
from lambda_fn.settings import NlbExposure, Settings, parse_toml
from lambda_fn.settings.fields import TargetGroupArn

WRONG_FILE = 2
"""Exit status for a settings file that cannot be used, as for a wrong command line."""


def main() -> int:
    """Print the objects of the settings file; on a wrong file print one message and nothing else."""
    arguments = _parser().parse_args()
    try:
        settings = _read(arguments.config)
        _binding_fits(settings, arguments)
    except FrontdoorError as error:
        sys.stderr.write(f"ecr-frontdoor: {error}\n")
        return WRONG_FILE
    if arguments.access:
        sys.stdout.write(Yaml.stringify(*access_documents(settings)))
        return 0
    if not arguments.target_group_arn:
        _tell_of_the_missing_binding(settings)
    sys.stdout.write(Yaml.stringify(*documents(settings, target_group_arn=arguments.target_group_arn)))
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
        help="print the Namespace, who may do what in it and who in the network gets in, and nothing else: with "
        'manifests = "namespaced" an administrator of the cluster applies them before the first deployment',
    )
    parser.add_argument(
        "--target-group-arn",
        type=_arn,
        metavar="ARN",
        help='with exposure.kind = "nlb": the stack\'s output TargetGroupArn, for the TargetGroupBinding',
    )
    return parser


def _arn(text: str) -> str:
    try:
        return TypeAdapter(TargetGroupArn).validate_python(text)
    except ValidationError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from error


def _read(path: Path) -> Settings:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")  # bytes that are no text are then no TOML
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}; --config PATH takes another file") from error
    return parse_toml(text, str(path))


def _binding_fits(settings: Settings, arguments: argparse.Namespace) -> None:
    """Refuse an ARN that would go nowhere."""
    kind = settings.proxy.exposure.kind
    if arguments.target_group_arn and (arguments.access or kind != "nlb"):
        where = "--access prints no TargetGroupBinding" if arguments.access else f'exposure.kind is "{kind}", not "nlb"'
        raise SettingsError(f"--target-group-arn has no use here, for {where}: leave it out")


def _tell_of_the_missing_binding(settings: Settings) -> None:
    exposure = settings.proxy.exposure
    if isinstance(exposure, NlbExposure) and not exposure.target_group_arn:
        sys.stderr.write(
            "ecr-frontdoor: no TargetGroupBinding among these objects, so nothing leads to the pods: "
            'with manifests = "external" set proxy.exposure.target_group_arn to the stack\'s output TargetGroupArn; '
            "otherwise the stack applies it, and --target-group-arn adds it here\n"
        )


if __name__ == "__main__":
    sys.exit(main())
