"""The charts as a whole: valid for every supported Kubernetes version, reproducible, printed by the command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from k8s_manifests import access_documents, documents
from tests.template import configurations
from tests.template.charts import INGRESS, NLB, POD, SERVICE, find, settings

ROOT = Path(__file__).parents[2]
ASYNCHRONOUS_PAYLOAD_BYTES = 1 << 20


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    # cdk8s runs on the Node that is installed beside this Python; an older one on the machine complains on stderr.
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "cli.command", "manifests", *arguments],
        cwd=ROOT,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("exposure", [INGRESS, NLB, POD, SERVICE], ids=["ingress", "nlb", "pod", "service"])
@pytest.mark.parametrize("version", ["1.33", "1.34", "1.35"])
def test_every_object_is_valid_with_no_unknown_field(version: str, exposure: str) -> None:
    for document in documents(settings(exposure)):
        kubernetes_validate.validate(document, version, strict=True)


def test_the_objects_fit_twice_into_an_event_of_cloudformation() -> None:
    """An update has those of before, too: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html ."""
    largest = settings(NLB, more="[page]\ncatalogue = true", proxy="monitoring_namespace = 'monitoring'")
    event = json.dumps(dict.fromkeys(("ResourceProperties", "OldResourceProperties"), json.dumps(documents(largest))))
    assert len(event.encode()) < ASYNCHRONOUS_PAYLOAD_BYTES * 0.8


def test_the_validation_refuses_an_unknown_field() -> None:
    document = find("Deployment", settings())
    document["spec"]["template"]["spec"]["containers"][0]["readOnly"] = True
    with pytest.raises(kubernetes_validate.ValidationError, match="readOnly"):
        kubernetes_validate.validate(document, "1.35", strict=True)


def test_the_namespace_comes_before_its_objects() -> None:
    first, *others = documents(settings(more='[names]\nworkload = "proxy"'))
    assert (first["kind"], first["metadata"]["name"]) == ("Namespace", "registry")
    assert {d["metadata"]["namespace"] for d in others} == {"registry"}


def test_the_same_settings_give_the_same_documents() -> None:
    assert documents(settings()) == documents(settings())


def test_the_objects_that_the_lambda_writes_are_not_in_the_charts() -> None:
    found = settings()
    written_by_the_lambda = {found.names.secret, found.names.config_map}
    assert not written_by_the_lambda & {d["metadata"]["name"] for d in documents(found)}


def test_the_template_is_one_text_that_holds_every_part() -> None:
    found = settings()
    (text,) = find("ConfigMap", found, name=found.names.template_config_map)["data"].values()
    lines = {line.strip() for line in text.splitlines()}
    assert "{% include" not in text
    for part in (ROOT / "k8s_manifests" / "nginx" / "conf").glob("*.conf.j2"):
        own = {line.strip() for line in part.read_text(encoding="utf-8").splitlines() if "{% include" not in line}
        assert own <= lines, part.name


def test_the_scripts_are_the_modules_of_this_repository() -> None:
    found = settings()
    modules = (ROOT / "k8s_manifests" / "nginx" / "njs").glob("*.js")
    sources = {module.name: module.read_text(encoding="utf-8") for module in modules}
    assert find("ConfigMap", found, name=found.names.scripts_config_map)["data"] == sources


def test_the_command_prints_the_documents_of_the_file_it_is_given(tmp_path: Path) -> None:
    path = tmp_path / "other.toml"
    text = configurations.text("ingress")
    path.write_text(text.replace("registry.shrd.example.net", "images.example.org"), encoding="utf-8")
    printed = run("--config", str(path))
    assert printed.returncode == 0, printed.stderr
    (ingress,) = [d for d in yaml.safe_load_all(printed.stdout) if d["kind"] == "Ingress"]
    assert ingress["spec"]["rules"][0]["host"] == "images.example.org"


def test_the_command_prints_only_what_an_administrator_applies(tmp_path: Path) -> None:
    config = tmp_path / "namespaced.toml"
    text = configurations.text("nlb")
    config.write_text(f'manifests = "namespaced"\n{text}', encoding="utf-8")
    done = run("--access", "--config", str(config))
    assert (done.returncode, done.stderr) == (0, "")
    printed = list(yaml.safe_load_all(done.stdout))
    assert printed == access_documents(configurations.parse(config.read_text(encoding="utf-8")))


def test_the_command_reads_frontdoor_toml_by_default() -> None:
    printed = run()
    assert [d["kind"] for d in yaml.safe_load_all(printed.stdout)][:1] == ["Namespace"]


def test_a_wrong_settings_file_gives_one_message_and_no_yaml(tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text('domain = "UPPER"\n', encoding="utf-8")
    refused = run("--config", str(path))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith(f"frontdoor: {path} has ")
    assert 'domain = "UPPER": must be a lower-case host name' in refused.stderr


def test_a_missing_settings_file_is_named() -> None:
    refused = run("--config", "nowhere.toml")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        "frontdoor: cannot read nowhere.toml: No such file or directory. "
        "Fix: name an existing file or folder with --config PATH\n"
    )


def test_a_settings_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    config = tmp_path / "frontdoor.toml"
    config.write_bytes(b"\xff\xfe\x00")
    refused = run("--config", str(config))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith(f"frontdoor: {config} is not TOML")


def test_the_command_has_a_help_text() -> None:
    assert "--config PATH" in run("--help").stdout


TARGETS = "arn:aws:elasticloadbalancing:ap-southeast-2:123456789012:targetgroup/a/0123456789abcdef"


@pytest.mark.parametrize(
    ("name", "words", "cause"),
    [
        ("nlb", ("--target-group-arn", "mine"), "mine: must be "),
        ("ingress", ("--target-group-arn", TARGETS), 'proxy.exposure.kind = "ingress"'),
        ("nlb", ("--access", "--target-group-arn", TARGETS), "--access"),
    ],
    ids=["not an ARN", "no load balancer", "access only"],
)
def test_a_target_group_that_no_object_can_use_is_an_error(name: str, words: tuple[str, ...], cause: str) -> None:
    refused = run("--config", str(configurations.EXAMPLES / f"{name}.toml"), *words)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--target-group-arn" in refused.stderr
    assert cause in refused.stderr
