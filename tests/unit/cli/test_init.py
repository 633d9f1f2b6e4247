"""`frontdoor init`: what it reads, asks and writes."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.command import app, main
from cli.init.questions import Questions
from lambda_fn.settings import Settings, parse_toml
from lambda_fn.settings.exposure import NlbExposure
from stacks.preflight import conflicts
from tests.fakes.aws import REGION, Answer, FakeAws
from tests.unit.cli import operator_account as account

DOMAIN = "registry.shrd.example.net"
NO_CERTIFICATE: dict[str, object] = {"CertificateSummaryList": []}
OPEN = ["--domain", DOMAIN, "--repository", "team/*"]
"""What only the operator can say."""
OFFLINE = ["--offline", "--cluster", "shared", "--region", REGION, "--account", account.ACCOUNT, *OPEN]
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
    done, settings = run("--json", typed=f"{DOMAIN}\nblue\nteam/*, base\n", ListClusters=several)
    assert done.exit_code == 0, done.output
    assert len(questions(done)) == 3
    assert settings
    assert (settings.domain, settings.cluster.name, settings.proxy.exposure.kind) == (DOMAIN, "blue", "nlb")
    assert "clients reach the registry by nlb. To choose otherwise, use --exposure" in done.stdout
    assert (settings.cluster.vpc_id, settings.cluster.security_group_id) == (account.VPC, account.GROUP)
    assert settings.cluster.subnet_ids == account.PRIVATE
    assert [registry.account for registry in settings.registries] == [account.ACCOUNT]
    assert settings.registries[0].repositories == ("team/*", "base")
    assert conflicts(settings) == []
    assert config.read_text("utf-8").count("#") > 5, "the file explains itself"


def test_of_one_cluster_nothing_is_asked_and_the_account_proposes_the_name(run: Run) -> None:
    zones = account.zones(("shrd.example.net", True))
    done, settings = run("--json", typed="\nteam/*\nservice\n", ListHostedZones=zones)
    assert settings
    assert (settings.domain, settings.cluster.name) == (DOMAIN, "shared")
    assert settings.proxy.exposure.kind == "service"
    assert len(questions(done)) == 3


def test_an_answer_that_is_not_valid_is_explained_and_asked_again(run: Run) -> None:
    done, settings = run(typed=f"UPPER\n{DOMAIN}\n,\nTeam\nteam/*\nftp\nservice\n")
    assert settings
    assert settings.proxy.exposure.kind == "service"
    assert settings.registries[0].repositories == ("team/*",)
    assert "UPPER: must be a lower-case host name" in done.stderr
    assert "name at least one pattern" in done.stderr
    assert "Team: must be lower-case letters" in done.stderr
    assert "ftp is not one of" in done.stderr


@pytest.mark.parametrize(
    ("words", "changed", "named"),
    [
        ((), {}, "--domain"),
        (("--domain", DOMAIN), {"ListClusters": {"clusters": ["blue", "shared"]}}, "--cluster, one of blue, shared"),
        (("--domain", DOMAIN), {"ListClusters": {"clusters": []}}, f"no EKS cluster was found in {REGION}"),
        (("--domain", DOMAIN), {"ListClusters": "AccessDenied: not you"}, "not you"),
        (("--domain", DOMAIN), {"GetCallerIdentity": "ExpiredToken: expired"}, "--offline"),
        (("--domain", DOMAIN), {}, "--repository 'team/*'; found: team/* (2), base (1)"),
        (("--domain", DOMAIN), {"DescribeRepositories": "AccessDenied: not yours"}, "not yours"),
        (("--domain", DOMAIN), {"DescribeRepositories": account.repositories()}, "found: nothing"),
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
    _, settings = run("--force", *OPEN)
    assert settings


def test_the_sample_of_a_clone_is_replaced_and_an_edited_one_is_not(run: Run, config: Path) -> None:
    sample = (Path(__file__).parents[3] / "frontdoor.toml").read_text("utf-8")
    config.write_text(sample.replace("# contact", "contact"))
    done, _ = run(*OPEN)
    assert str(done.exception) == f"{config} exists. Fix: --force replaces it, --config PATH writes another file"
    config.write_text(sample)
    _, settings = run(*OPEN)
    assert settings
    assert settings.domain == DOMAIN
    assert run(*OPEN)[0].exit_code != 0, "what init has written is no sample"


def test_the_class_of_an_ingress_is_a_guess_that_the_file_and_a_note_explain(run: Run, config: Path) -> None:
    done, _ = run(*OPEN, "--exposure", "ingress")
    (line,) = [line for line in config.read_text("utf-8").splitlines() if line.startswith("class_name")]
    assert line.endswith("# your controller's IngressClass: kubectl get ingressclass")
    assert 'note: class_name = "nginx" is a guess: kubectl get ingressclass' in done.stderr
    assert "class_name" not in run("--force", *OPEN, "--exposure", "pod")[0].stderr


def test_the_file_lists_what_is_not_open_with_numbers_to_be_opened_by_an_edit(run: Run, config: Path) -> None:
    named = ["team/app", "team/web", "team/a/b", "base", "other/x", "other/y", f"cdk-hnb659fds-{account.ACCOUNT}"]
    found = account.repositories(*named, *(f"single-{number:02}" for number in range(60)))
    words = ("--domain", DOMAIN, "--repository", "base", "--repository", "team/a*")
    _, settings = run(*words, DescribeRepositories=found)
    assert settings
    assert settings.registries[0].repositories == ("base", "team/a*")
    text = config.read_text("utf-8")
    listed = [line.strip() for line in text.partition("repositories = [\n")[2].partition("\n]")[0].splitlines()]
    assert listed[:5] == [
        '"base", # 1',
        '"team/a*", # 2',
        '# "other/*", # 2',
        '# "single-00", # 1',
        '# "single-01", # 1',
    ]
    assert listed[-1] == "# and 12 more"
    edited = parse_toml(text.replace('# "other/*",', '"other/*",'), "edited")
    assert edited.registries[0].repositories == ("base", "team/a*", "other/*")


def test_everything_is_open_only_where_that_was_said(run: Run) -> None:
    refused = {"DescribeRepositories": "AccessDenied: no"}
    for typed, words in ((f"{DOMAIN}\n*\nservice\n", ()), (None, ("--domain", DOMAIN, "--repository", "*"))):
        done, settings = run("--force", *words, typed=typed, **refused)
        assert settings
        assert settings.registries[0].repositories == ("*",)
        assert "may pull ALL repositories, and all that are created later" in done.stderr


def test_a_pattern_that_is_the_name_of_no_repository_is_noted(run: Run) -> None:
    done, settings = run(*OPEN, "--repository", "taem/*")
    assert settings
    assert f"no repository of {account.ACCOUNT} in ap-southeast-2 matches taem/*" in done.stderr


def test_the_repositories_are_those_of_the_account_that_has_the_registry(run: Run) -> None:
    def listed(asked: Mapping[str, object]) -> dict[str, object]:
        return account.repositories("shared/app" if asked["registryId"] == "210987654321" else "team/app")

    done, _ = run("--domain", DOMAIN, "--account", "210987654321", DescribeRepositories=listed)
    assert "found: shared/* (1)" in str(done.exception)


def test_what_may_not_be_read_is_left_out_and_noted(run: Run) -> None:
    done, settings = run(*OPEN, DescribeSubnets="UnauthorizedOperation: no", DescribeRepositories="AccessDenied: no")
    assert done.exit_code == 0
    assert f"the repositories of {account.ACCOUNT} could not be read" in done.stderr
    assert settings
    assert settings.cluster.subnet_ids == ()
    assert settings.registries[0].repositories == ("team/*",)


def test_a_vpc_without_nat_gets_the_endpoints_that_are_missing(run: Run) -> None:
    done, settings = run(
        *OPEN,
        DescribeRouteTables=account.tables(None),
        DescribeVpcEndpoints=account.endpoints("ecr.api", "s3", "bedrock"),
        DescribeCluster=account.cluster(network={"endpointPublicAccess": False}),
    )
    assert done.exit_code == 0, done.output
    assert settings
    assert (settings.cluster.nat, settings.cluster.public_endpoint) == (False, False)
    assert settings.endpoints.existing == ("ecr.api", "s3")
    assert settings.endpoints.create == ("ec2", "ecr.dkr", "eks", "elasticloadbalancing", "lambda")
    assert conflicts(settings) == []


KEY_TYPES: list[str] = FakeAws({}).client("acm").meta.service_model.shape_for("KeyAlgorithm").enum


@pytest.mark.parametrize("key_type", KEY_TYPES)
def test_a_certificate_with_any_key_that_acm_knows_is_found(run: Run, key_type: str) -> None:
    done, settings = run(*OPEN, "--exposure", "nlb", ListCertificates=account.issued(key_type))
    assert done.exit_code == 0, done.output
    assert settings
    assert isinstance(settings.proxy.exposure, NlbExposure)
    assert settings.proxy.exposure.certificate_arn == account.CERTIFICATE


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
        *OPEN, "--exposure", "nlb", ListHostedZones=account.zones(*zones), ListCertificates=certificates
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
        ({}, "nlb"),
        ({"ListCertificates": account.ISSUED}, "nlb"),
        ({"DescribeSubnets": {"Subnets": []}}, "ingress"),
        ({"DescribeCluster": account.cluster(kubernetesNetworkConfig={"ipFamily": "ipv6"})}, "ingress"),
    ],
    ids=["as the sample", "with a certificate", "without private subnets", "IPv6"],
)
def test_a_load_balancer_of_the_stack_is_proposed_where_it_has_a_place(
    run: Run, changed: dict[str, Answer], kind: str
) -> None:
    _, settings = run(*OPEN, **changed)
    assert settings
    assert settings.proxy.exposure.kind == kind
    assert conflicts(settings) == []


def test_auto_mode_proposes_its_own_load_balancing(run: Run) -> None:
    described = account.cluster(kubernetesNetworkConfig={"elasticLoadBalancing": {"enabled": True}})
    _, settings = run(*OPEN, DescribeCluster=described)
    assert settings
    assert isinstance(settings.proxy.exposure, NlbExposure)
    assert settings.proxy.exposure.controller == "eks-auto-mode"


@pytest.mark.parametrize(
    ("words", "named"),
    [(("--exposure", "gateway"), "--gateway NAMESPACE/NAME"), (("--exposure", "nlb"), "--subnet ID=CIDR")],
)
def test_what_a_kind_needs_and_the_account_does_not_say_is_named(run: Run, words: tuple[str, ...], named: str) -> None:
    done, _ = run(*OPEN, *words, DescribeSubnets={"Subnets": []})
    assert named in str(done.exception)


@pytest.mark.parametrize(
    "more",
    [
        ["--exposure", "ingress"],
        ["--exposure", "pod", "--repository", "base"],
        ["--exposure", "gateway", "--gateway", "infra/internal"],
        ["--exposure", "nlb", *NETWORK, "--subnet", f"{account.PRIVATE[0]}=10.1.0.0/24"],
    ],
)
def test_offline_the_options_are_enough(config: Path, more: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.commands.init.session", lambda *_: pytest.fail("AWS was asked"))
    assert main(["init", "--config", str(config), *OFFLINE, *more]) == 0
    settings = parse_toml(config.read_text("utf-8"), "written")
    assert conflicts(settings) == []
    assert settings.proxy.exposure.kind == more[1]


@pytest.mark.parametrize("route", ["nat", None])
def test_the_catalogue_and_the_metrics_are_two_comments_that_an_operator_takes_away(
    run: Run, config: Path, route: str | None
) -> None:
    _, settings = run(*OPEN, **({} if route else {"DescribeRouteTables": account.tables(None)}))
    assert settings
    assert (settings.page.catalogue, settings.proxy.monitoring_namespace) == (False, None)
    lines = re.compile(r"^# (\[page\]|\[proxy\]|catalogue|monitoring_namespace)", re.MULTILINE)
    settings = parse_toml(lines.sub(r"\1", config.read_text("utf-8")), "edited")
    assert (settings.page.catalogue, settings.proxy.monitoring_namespace) == (True, "monitoring")


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "missing" / "frontdoor.toml"
    assert main(["init", "--config", str(missing), *OFFLINE, "--exposure", "pod"]) == 2
    assert f"cannot write {missing}: No such file or directory. Fix:" in capsys.readouterr().err


def test_offline_the_options_that_are_missing_are_named(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--config", str(config), "--offline", "--domain", DOMAIN]) == 2
    assert capsys.readouterr().err == (
        "frontdoor: --offline knows nothing of the account. Fix: add --cluster, --region, --account, --repository, "
        '--subnet ID=CIDR of each zone, --vpc-id, --security-group-id (for exposure "nlb", or choose another one with '
        "--exposure)\n"
    )
    assert main(["init", "--config", str(config), "--offline", "--exposure", "pod"]) == 2
    assert capsys.readouterr().err.endswith("add --domain, --cluster, --region, --account, --repository\n")


def test_offline_the_load_balancer_needs_its_place(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for given, missing in (
        ([], "--subnet ID=CIDR of each zone, --vpc-id, --security-group-id"),
        (["--subnet", "subnet-1"], "--subnet ID=CIDR of each zone, --vpc-id, --security-group-id"),
        (["--subnet", "subnet-1=10.1.0.0/24"], "--vpc-id, --security-group-id"),
        (["--subnet", "subnet-1=10.1.0.0/24", *NETWORK[:2]], "--security-group-id"),
        (NETWORK, "--subnet ID=CIDR of each zone"),
    ):
        assert main(["init", "--config", str(config), *OFFLINE, *given]) == 2
        fix = f'Fix: add {missing} (for exposure "nlb", or choose another one with --exposure)\n'
        assert capsys.readouterr().err.endswith(fix)
        assert not config.exists()


def test_a_question_needs_a_terminal() -> None:
    with pytest.raises(Exception, match="--domain"):
        Questions(is_interactive=False).domain(None)
    assert Questions(is_interactive=False).kind("pod") == "pod"
