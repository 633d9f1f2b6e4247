"""`frontdoor init`: write a settings file for the account, after at most three questions."""

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, get_args

import boto3
import typer

from cli.account.clients import session
from cli.account.cluster import ClusterFacts
from cli.account.network import Subnet
from cli.exit_status import WRONG
from cli.init.discovery import Discovery, Vpc
from cli.init.draft import Draft, Kind, domain_for, groups_of, names_for, opened_by, place_of_lambda
from cli.init.questions import Questions, domain_of, pattern_of
from cli.init.text import CLASS_NAME, settings_text
from cli.options import CONFIG, Config, Json, Profile, Timeout
from lambda_fn.contract.errors import SettingsError
from lambda_fn.settings.endpoints import Service
from lambda_fn.settings.parse import parse_toml

_SCHEMA = "docs/frontdoor.schema.json"
_SAMPLE_SHA256 = "a8c399b1fab48f87c92cb0f2614b68c90becb1041e0054252a4ab9a2578252f8"
"""The digest of the `frontdoor.toml` that a clone of the repository has: unless it was edited, it may be replaced."""


def _subnet(text: str) -> Subnet:
    subnet_id, _, cidr = text.partition("=")
    return Subnet(id=subnet_id, zone="", cidr=cidr, route_table_id="", default_route="nat")


def _namespaced(text: str) -> str:
    namespace, _, name = text.partition("/")
    if not (namespace and name):
        raise typer.BadParameter(f"{text} is not NAMESPACE/NAME")
    return text


def init(  # noqa: PLR0913 - options of a command line
    *,
    config: Config = CONFIG,
    domain: Annotated[
        str | None, typer.Option(metavar="NAME", parser=domain_of, help="The registry's host name.")
    ] = None,
    cluster: Annotated[str | None, typer.Option(metavar="NAME", help="The EKS cluster.")] = None,
    region: Annotated[str | None, typer.Option(metavar="REGION", help="Its region (default: your profile's).")] = None,
    account: Annotated[
        str | None, typer.Option(metavar="DIGITS", help="The account of the registry (default: your own).")
    ] = None,
    repositories: Annotated[
        list[str] | None,
        typer.Option(
            "--repository",
            metavar="PATTERN",
            parser=pattern_of,
            help="What every client may pull without a login, such as team/*; may be given several times.",
        ),
    ] = None,
    exposure: Annotated[
        Kind | None,
        typer.Option(
            help="How clients reach it: docs/exposure.md (default: nlb; ingress where the VPC has no private subnet "
            "with IPv4)."
        ),
    ] = None,
    gateway: Annotated[
        str | None, typer.Option(metavar="NAMESPACE/NAME", parser=_namespaced, help="For gateway: the Gateway.")
    ] = None,
    vpc_id: Annotated[str | None, typer.Option(metavar="ID", help="The cluster's VPC.")] = None,
    subnets: Annotated[
        list[Subnet] | None,
        typer.Option(
            "--subnet",
            metavar="ID[=CIDR]",
            parser=_subnet,
            help="A private subnet, with its range for nlb; may be given several times.",
        ),
    ] = None,
    security_group_id: Annotated[str | None, typer.Option(metavar="ID", help="The cluster security group.")] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask neither AWS nor you: write what the options say.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    profile: Profile = None,
    timeout: Timeout = 10.0,
    as_json: Json = False,
) -> None:
    """Write a settings file for this account.

    It reads clusters, network, repositories, zones and certificates, and asks at most three questions: for the host
    name, for the cluster where there are several, for the repositories to open, and, unless these are three already,
    how clients reach the registry. An option answers each beforehand. Without a terminal, and with --offline, nothing
    is asked.

    It replaces the sample that a clone of ecr-frontdoor has, and no other file without --force.

    What every client may pull is never guessed. The file lists what is not open, for you to open.

    It needs ReadOnlyAccess. What it may not read it leaves out, and says so.
    """
    _refuse_to_replace(config, force=force)
    questions = Questions(is_interactive=not offline and sys.stdin.isatty() and sys.stderr.isatty())
    notes: list[str] = []
    namespace, _, name = (gateway or "").partition("/")
    draft = Draft(
        domain=domain or "",
        cluster=ClusterFacts(name=cluster or "", vpc_id=vpc_id, security_group_id=security_group_id),
        region=region or "",
        account=account or "",
        patterns=tuple(repositories or ()),
        subnets=tuple(subnets or ()),
        kind=exposure or "nlb",
        gateway=(namespace, name),
    )
    if not offline:
        draft = _read(draft, exposure, questions, _discovery(session(profile, region), timeout, notes))
    _refuse_incomplete(draft, offline=offline)
    draft = _with_endpoints(draft)
    text = settings_text(draft, schema=_SCHEMA if (config.parent / _SCHEMA).exists() else None)
    settings = parse_toml(text, str(config))
    try:
        config.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"cannot write {config}: {error.strerror}. Fix: name another file with --config") from error
    from stacks.preflight import conflicts  # noqa: PLC0415 - it imports the charts' library, which takes seconds

    found = [str(conflict) for conflict in conflicts(settings)]
    notes += [*questions.assumed, *_doubts(draft), *found]
    _report(config, questions, notes, as_json=as_json)
    if found:
        raise typer.Exit(WRONG)


def _refuse_to_replace(config: Path, *, force: bool) -> None:
    if config.exists() and not (force or _is_sample(config)):
        raise SettingsError(f"{config} exists. Fix: --force replaces it, --config PATH writes another file")


def _is_sample(config: Path) -> bool:
    return config.is_file() and hashlib.sha256(config.read_bytes()).hexdigest() == _SAMPLE_SHA256


def _discovery(aws: boto3.Session, timeout_seconds: float, notes: list[str]) -> Discovery:
    if not aws.region_name:
        raise SettingsError("no region is set. Fix: add --region, such as --region ap-southeast-2")
    return Discovery(aws, aws.region_name, timeout_seconds, notes)


def _read(given: Draft, exposure: Kind | None, questions: Questions, found: Discovery) -> Draft:
    """What the account says, with the options before it."""
    own = found.account()
    account = given.account or own
    zones = found.zones()
    domain = given.domain or questions.domain(domain_for(zones))
    cluster = found.cluster(given.cluster.name or _cluster_name(questions, found))
    cluster = replace(
        cluster,
        vpc_id=given.cluster.vpc_id or cluster.vpc_id,
        security_group_id=given.cluster.security_group_id or cluster.security_group_id,
    )
    vpc = found.vpc(cluster.vpc_id) if cluster.vpc_id else Vpc()
    subnets, has_nat = place_of_lambda(vpc.subnets)
    if given.subnets:
        wanted = {subnet.id for subnet in given.subnets}
        subnets = tuple(subnet for subnet in vpc.subnets if subnet.id in wanted) or given.subnets
        has_nat = any(subnet.default_route == "nat" for subnet in subnets)
    known = len(found.notes)
    repositories = found.repositories(account)
    problem = next(iter(found.notes[known:]), None)
    patterns = given.patterns or questions.repositories(groups_of(repositories), problem)
    public, private = names_for(domain, zones)
    # The stack's own load balancer needs subnets with IPv4.
    kind = exposure or questions.kind("nlb" if subnets and not cluster.is_ipv6 else "ingress")
    return replace(
        given,
        domain=domain,
        cluster=cluster,
        region=found.region,
        account=account,
        patterns=patterns,
        repositories=repositories,
        subnets=subnets,
        has_nat=has_nat or not subnets,
        endpoints=tuple(sorted(vpc.endpoints & set(get_args(Service)))),
        kind=kind,
        certificate_arn=found.certificate(domain),
        public_zone=public,
        private_zone=private,
    )


def _cluster_name(questions: Questions, found: Discovery) -> str:
    names = found.clusters()
    match names:
        case ():
            reason = f" ({found.notes[-1]})" if found.notes else ""
            raise SettingsError(
                f"no EKS cluster was found in {found.region} of your account{reason}. Fix: use --region or --profile, "
                "or name it with --cluster"
            )
        case (only,):
            return only
        case _:
            return questions.cluster(names)


def _refuse_incomplete(draft: Draft, *, offline: bool) -> None:
    """Stop where neither the account nor an option says what is needed, and name all of it."""
    of_account = _missing(
        {
            "--domain": draft.domain,
            "--cluster": draft.cluster.name,
            "--region": draft.region,
            "--account": draft.account,
            "--repository": draft.patterns,
        }
        if offline
        else {}
    )
    of_kind = _missing(_needs(draft))
    if not (of_account or of_kind):
        return
    problem = "--offline knows nothing of the account" if offline else "the account does not say all that is needed"
    of_which = f'{", ".join(of_kind)} (for exposure "{draft.kind}", or choose another one with --exposure)'
    raise SettingsError(f"{problem}. Fix: add {', '.join([*of_account, *([of_which] if of_kind else [])])}")


def _needs(draft: Draft) -> Mapping[str, object]:
    """The options that say what a kind of exposure needs, with what is known of it."""
    if draft.kind == "gateway":
        return {"--gateway NAMESPACE/NAME": all(draft.gateway)}
    if draft.kind == "nlb":
        return {
            "--subnet ID=CIDR of each zone": draft.subnets and all(subnet.cidr for subnet in draft.subnets),
            "--vpc-id": draft.cluster.vpc_id,
            "--security-group-id": draft.cluster.security_group_id,
        }
    return {}


def _missing(needed: Mapping[str, object]) -> list[str]:
    return [option for option, known in needed.items() if not known]


def _doubts(draft: Draft) -> Iterator[str]:
    """What in the file may be a mistake."""
    if draft.kind == "ingress":
        yield f'class_name = "{CLASS_NAME}" is a guess: kubectl get ingressclass shows what the cluster has'
    for pattern in draft.patterns:
        if pattern == "*":
            yield "every client that reaches the domain may pull ALL repositories, and all that are created later"
        elif draft.repositories and not opened_by(pattern, draft.repositories):
            yield f"no repository of {draft.account} in {draft.region} matches {pattern}"


def _with_endpoints(draft: Draft) -> Draft:
    """The draft with the endpoints that the stack has to make, as the check at synthesis counts them."""
    if draft.has_nat:
        return draft
    # They import the charts' library, which takes seconds.
    from k8s_manifests.exposures import exposure_of  # noqa: PLC0415
    from stacks.preflight import needed_endpoints  # noqa: PLC0415

    settings = parse_toml(settings_text(draft), "the draft")
    needed = needed_endpoints(settings.cluster, exposure_of(settings).vpc_endpoints, uses_kubectl=True)
    return replace(draft, missing_endpoints=tuple(sorted(needed.keys() - set(draft.endpoints))))


def _report(config: Path, questions: Questions, notes: list[str], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"config": str(config), "questions": questions.asked, "notes": notes}, indent=2))
        return
    for note in notes:
        typer.echo(f"note: {note}", err=True)
    option = "" if config == CONFIG else f" --config {config}"
    typer.echo(f"wrote {config}. Read it, then run: frontdoor check{option}")
