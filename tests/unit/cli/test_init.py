"""`frontdoor init`: what it reads, asks and writes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.command import app, main
from cli.init.draft import patterns_for
from cli.init.questions import Questions
from lambda_fn.settings import Settings, parse_toml
from lambda_fn.settings.exposure import NlbExposure
from stacks.preflight import conflicts
from tests.fakes.aws import REGION, Answer, FakeAws
from tests.unit.cli import operator_account as account

DOMAIN = "registry.shrd.example.net"
NO_CERTIFICATE: dict[str, object] = {"CertificateSummaryList": []}
OFFLINE = ["--offline", "--cluster", "shared", "--region", REGION, "--account", account.ACCOUNT, "--domain", DOMAIN]
NETWORK = ["--vpc-id", account.VPC, "--security-group-id", account.GROUP]
Run = Callable[..., tuple[Result, Settings | None]]


def questions(done: Result) -> list[str]:
    """Those that `--json` names. Before it stands what was typed, which the runner echoes as a terminal does."""
    asked: list[str] = json.loads(done.stdout[done.stdout.index("{") :])["questions"]
    return asked


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "frontdoor.toml"


@pytest.fixture
def run(config: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `init` in an account with these answers, on a terminal where there is something typed."""

    def ran(*words: str, typed: str | None = None, **changed: Answer) -> tuple[Result, Settings | None]:
        aws = FakeAws(account.answers() | changed)
        monkeypatch.setattr("cli.commands.init.session", lambda *_: aws)
        monkeypatch.setattr("cli.commands.init.Questions", lambda **_: Questions(is_interactive=typed is not None))
        done = CliRunner().invoke(app, ["init", "--config", str(config), *words], input=typed)
        return done, parse_toml(config.read_text("utf-8"), "written") if config.exists() else None

    return ran


def test_three_answers_are_enough_and_the_settings_fit_together(run: Run, config: Path) -> None:
    several = {"clusters": ["blue", "shared"]}
    done, settings = run("--json", typed=f"{DOMAIN}\nblue\ningress\n", ListClusters=several)
    assert done.exit_code == 0, done.output
    assert len(questions(done)) == 3
    assert settings
    assert (settings.domain, settings.cluster.name, settings.proxy.exposure.kind) == (DOMAIN, "blue", "ingress")
    assert (settings.cluster.vpc_id, settings.cluster.security_group_id) == (account.VPC, account.GROUP)
    assert settings.cluster.subnet_ids == account.PRIVATE
    assert [registry.account for registry in settings.registries] == [account.ACCOUNT]
    assert settings.registries[0].repositories == ("base", "team/*")
    assert conflicts(settings) == []
    assert config.read_text("utf-8").count("#") > 5, "the file explains itself"


def test_of_one_cluster_nothing_is_asked_and_the_account_proposes_the_name(run: Run) -> None:
    done, settings = run("--json", typed="\n\n", ListHostedZones=account.zones(("shrd.example.net", True)))
    assert settings
    assert (settings.domain, settings.cluster.name) == (DOMAIN, "shared")
    assert len(questions(done)) == 2


def test_an_answer_that_is_not_valid_is_explained_and_asked_again(run: Run) -> None:
    done, settings = run(typed=f"UPPER\n{DOMAIN}\nftp\nservice\n")
    assert settings
    assert settings.proxy.exposure.kind == "service"
    assert "UPPER: must be a lower-case host name" in done.stderr
    assert "ftp is not one of" in done.stderr


@pytest.mark.parametrize(
    ("words", "changed", "named"),
    [
        ((), {}, "--domain"),
        (("--domain", DOMAIN), {"ListClusters": {"clusters": ["blue", "shared"]}}, "--cluster, one of blue, shared"),
        (("--domain", DOMAIN), {"ListClusters": {"clusters": []}}, f"no EKS cluster was found in {REGION}"),
        (("--domain", DOMAIN), {"ListClusters": "AccessDenied: not you"}, "not you"),
        (("--domain", DOMAIN), {"GetCallerIdentity": "ExpiredToken: expired"}, "--offline"),
    ],
)
def test_without_a_terminal_what_is_missing_is_named_and_nothing_is_written(
    run: Run, config: Path, words: tuple[str, ...], changed: dict[str, Answer], named: str
) -> None:
    done, _ = run(*words, **changed)
    assert named in str(done.exception)
    assert not config.exists()


def test_an_existing_file_is_replaced_only_by_force(run: Run, config: Path) -> None:
    config.write_text("mine")
    assert main(["init", "--config", str(config), "--domain", DOMAIN]) == 2
    assert config.read_text() == "mine"
    _, settings = run("--force", "--domain", DOMAIN)
    assert settings


def test_what_may_not_be_read_is_left_out_and_noted(run: Run) -> None:
    done, settings = run(
        "--domain", DOMAIN, DescribeSubnets="UnauthorizedOperation: no", DescribeRepositories="AccessDenied: no"
    )
    assert done.exit_code == 0
    assert "the repositories of ECR could not be read" in done.stderr
    assert "may pull ALL repositories" in done.stderr
    assert settings
    assert settings.cluster.subnet_ids == ()
    assert settings.registries[0].repositories == ("*",)


def test_a_vpc_without_nat_gets_the_endpoints_that_are_missing(run: Run) -> None:
    done, settings = run(
        "--domain",
        DOMAIN,
        DescribeRouteTables=account.tables(None),
        DescribeVpcEndpoints=account.endpoints("ecr.api", "s3", "bedrock"),
        DescribeCluster=account.cluster(network={"endpointPublicAccess": False}),
    )
    assert done.exit_code == 0, done.output
    assert settings
    assert (settings.cluster.nat, settings.cluster.public_endpoint) == (False, False)
    assert settings.endpoints.existing == ("ecr.api", "s3")
    assert settings.endpoints.create == ("ecr.dkr", "eks", "lambda")
    assert conflicts(settings) == []


@pytest.mark.parametrize(
    ("zones", "certificates", "expected"),
    [
        ([], account.ISSUED, {"certificate_arn"}),
        (
            [("shrd.example.net", True), ("example.net", False)],
            NO_CERTIFICATE,
            {"certificate_zone_id", "alias_zone_id"},
        ),
        ([], NO_CERTIFICATE, {"tls_secret"}),
    ],
)
def test_a_load_balancer_has_what_the_account_has_for_its_name(
    run: Run, zones: list[tuple[str, bool]], certificates: dict[str, object], expected: set[str]
) -> None:
    done, settings = run(
        "--domain", DOMAIN, "--exposure", "nlb", ListHostedZones=account.zones(*zones), ListCertificates=certificates
    )
    assert done.exit_code == 0, done.output
    assert settings
    exposure = settings.proxy.exposure
    assert isinstance(exposure, NlbExposure)
    assert exposure.subnets == {account.PRIVATE[0]: "10.1.0.0/24", account.PRIVATE[1]: "10.1.1.0/24"}
    names = {"certificate_arn", "certificate_zone_id", "tls_secret", "alias_zone_id"}
    assert {name for name in names if getattr(exposure, name)} == expected
    assert conflicts(settings) == []


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({}, "ingress"),
        ({"ListCertificates": account.ISSUED}, "nlb"),
        ({"ListHostedZones": account.zones(("example.net", False))}, "nlb"),
        ({"ListHostedZones": account.zones(("example.net", True))}, "ingress"),
        ({"ListCertificates": account.ISSUED, "DescribeSubnets": {"Subnets": []}}, "ingress"),
        (
            {
                "ListCertificates": account.ISSUED,
                "DescribeCluster": account.cluster(kubernetesNetworkConfig={"ipFamily": "ipv6"}),
            },
            "ingress",
        ),
    ],
)
def test_a_load_balancer_is_proposed_where_aws_can_vouch_for_the_name(
    run: Run, changed: dict[str, Answer], kind: str
) -> None:
    _, settings = run("--domain", DOMAIN, **changed)
    assert settings
    assert settings.proxy.exposure.kind == kind


def test_auto_mode_proposes_its_own_load_balancing(run: Run) -> None:
    described = account.cluster(kubernetesNetworkConfig={"elasticLoadBalancing": {"enabled": True}})
    _, settings = run("--domain", DOMAIN, DescribeCluster=described)
    assert settings
    assert isinstance(settings.proxy.exposure, NlbExposure)
    assert settings.proxy.exposure.controller == "eks-auto-mode"


@pytest.mark.parametrize(
    ("words", "named"),
    [(("--exposure", "gateway"), "--gateway NAMESPACE/NAME"), (("--exposure", "nlb"), "--subnet ID=CIDR")],
)
def test_what_a_kind_needs_and_the_account_does_not_say_is_named(run: Run, words: tuple[str, ...], named: str) -> None:
    done, _ = run("--domain", DOMAIN, *words, DescribeSubnets={"Subnets": []})
    assert named in str(done.exception)


@pytest.mark.parametrize(
    "more",
    [
        [],
        ["--exposure", "pod", "--repository", "team/*", "--repository", "base"],
        ["--exposure", "gateway", "--gateway", "infra/internal"],
        ["--exposure", "nlb", *NETWORK, "--subnet", f"{account.PRIVATE[0]}=10.1.0.0/24"],
    ],
)
def test_offline_the_options_are_enough(config: Path, more: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.commands.init.session", lambda *_: pytest.fail("AWS was asked"))
    assert main(["init", "--config", str(config), *OFFLINE, *more]) == 0
    settings = parse_toml(config.read_text("utf-8"), "written")
    assert conflicts(settings) == []
    assert settings.proxy.exposure.kind == (more[1] if more else "ingress")


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "missing" / "frontdoor.toml"
    assert main(["init", "--config", str(missing), *OFFLINE]) == 2
    assert f"cannot write {missing}: No such file or directory. Fix:" in capsys.readouterr().err


def test_offline_the_options_that_are_missing_are_named(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--config", str(config), "--offline", "--domain", DOMAIN]) == 2
    assert "--cluster, --region, --account" in capsys.readouterr().err


def test_an_allow_list_has_a_pattern_for_each_team_and_fits_into_nginx() -> None:
    assert patterns_for(["team/app", "team/a/b", "base", "other/x"]) == (("base", "other/*", "team/*"), 0)
    patterns, left_out = patterns_for(f"repository-number-{number}" for number in range(400))
    assert len(patterns) + left_out == 400
    assert left_out > 0


def test_a_question_needs_a_terminal() -> None:
    with pytest.raises(Exception, match="--domain"):
        Questions(is_interactive=False).domain(None)
    assert Questions(is_interactive=False).kind("pod") == "pod"
