"""`frontdoor forget`: what it sends to the watcher, what it prints, and its exit status."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.response import StreamingBody

from cli.command import main
from lambda_fn.contract.hints import Image
from tests.fakes.aws import Answer, FakeAws
from tests.fakes.hints import image
from tests.unit.settings.files import SMALLEST

NAME = f"team/app@{image().digest}"
WATCHER = "stack-watcher"


def answered(payload: object, *, error: str | None = None) -> Answer:
    def answer(_: Mapping[str, Any]) -> Mapping[str, Any]:
        body = json.dumps(payload).encode()
        stream = StreamingBody(io.BytesIO(body), len(body))
        return {"StatusCode": 200, "Payload": stream} | ({"FunctionError": error} if error else {})

    return answer


def stack(**outputs: str) -> dict[str, Answer]:
    listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    described = {"StackName": "s", "CreationTime": "2026-01-01T00:00:00Z", "StackStatus": "CREATE_COMPLETE"}
    return {"DescribeStacks": {"Stacks": [described | {"Outputs": listed}]}}


class Operator:
    """A command line, a settings file and an account."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.file = folder / "frontdoor.toml"
        self.file.write_text(SMALLEST.replace("[proxy]", 'repositories = ["team/*"]\n[proxy]', 1), encoding="utf-8")
        self.aws = FakeAws(stack(FunctionName="refresher", WatcherName=WATCHER) | {"BatchGetImage": self._manifest})
        self.indexes: dict[str, list[dict[str, Any]]] = {}
        self._capsys = capsys
        monkeypatch.setattr("cli.stack_function.session", lambda *_: self.aws)
        monkeypatch.setattr("cli.commands.forget.session", lambda *_: self.aws)

    def _manifest(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        ((_, digest),) = parameters["imageIds"][0].items()
        if digest not in self.indexes:
            return {"images": [], "failures": [{"failureCode": "ImageNotFound"}]}
        return {"images": [{"imageManifest": json.dumps({"manifests": self.indexes[digest]})}], "failures": []}

    def run(self, *arguments: str) -> tuple[int, str, str]:
        status = main(["forget", "--config", str(self.file), *arguments])
        out, err = self._capsys.readouterr()
        return status, out, err

    @property
    def sent(self) -> list[Any]:
        return [json.loads(parameters["Payload"]) for name, parameters in self.aws.asked if name == "Invoke"]


@pytest.fixture
def operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Operator:
    return Operator(tmp_path, monkeypatch, capsys)


def test_an_image_of_a_renamed_repository_is_sent_by_its_public_name_and_shown_by_ecrs(operator: Operator) -> None:
    text = SMALLEST.replace("[proxy]", 'repositories = []\nrenames = { "python" = "team/app" }\n[proxy]', 1)
    operator.file.write_text(text, encoding="utf-8")
    operator.aws.answers["Invoke"] = answered({"forgotten": [], "in_ecr": [str(image())]})
    status, out, _ = operator.run(f"registry.example.net/python@{image().digest}")
    assert (status, operator.sent) == (0, [{"forget": [f"python@{image().digest}"]}])
    assert f"--repository-name team/app --image-ids imageDigest={image().digest}" in out


def test_images_are_sent_to_the_watcher_and_each_is_a_line(operator: Operator) -> None:
    other = f"team/base@{image(1).digest}"
    operator.aws.answers["Invoke"] = answered({"forgotten": [], "in_ecr": []})
    status, out, _ = operator.run(f"registry.example.net/{NAME}", other)
    assert (status, operator.sent) == (0, [{"forget": [NAME, other]}])
    assert [parameters["FunctionName"] for name, parameters in operator.aws.asked if name == "Invoke"] == [WATCHER]
    assert [line.split(": ")[0] for line in out.splitlines()] == [
        *["refused by every pod within two minutes"] * 2,
        *["ECR does not have it, or no longer"] * 2,
    ]
    assert str(image()) in out


def test_an_image_that_ecr_still_has_comes_with_the_command_that_deletes_it(operator: Operator) -> None:
    operator.aws.answers["Invoke"] = answered({"forgotten": [str(image())], "in_ecr": [str(image())]})
    status, out, _ = operator.run(NAME)
    assert status == 0
    assert f"--repository-name team/app --image-ids imageDigest={image().digest}" in out


def test_the_commands_that_delete_an_image_name_the_registry_and_its_replica(operator: Operator) -> None:
    replica = 'replicas = [{ account = "210987654321", region = "ap-southeast-4" }]\n'
    operator.file.write_text(operator.file.read_text().replace("[proxy]", f"{replica}[proxy]", 1), encoding="utf-8")
    operator.aws.answers["Invoke"] = answered({"forgotten": [str(image())], "in_ecr": [str(image())]})
    commands = [line.partition("aws ecr ")[2] for line in operator.run(NAME)[1].splitlines() if "aws ecr " in line]
    assert [command.partition(" --repository-name")[0] for command in commands] == [
        "batch-delete-image --region ap-southeast-2 --registry-id 123456789012",
        "batch-delete-image --region ap-southeast-4 --registry-id 210987654321",
    ]


def test_no_command_deletes_an_image_of_a_mirror_in_the_replica_of_its_registry(operator: Operator) -> None:
    replica = 'replicas = [{ account = "210987654321", region = "ap-southeast-4" }]\n'
    mirror = f'repositories = ["hub/*"]\npull_through = true\nupstream = "docker.io"\n{replica}[proxy]'
    operator.file.write_text(SMALLEST.replace("[proxy]", mirror, 1), encoding="utf-8")
    imported = image(repository="hub/library/nginx")
    operator.aws.answers["Invoke"] = answered({"forgotten": [str(imported)], "in_ecr": [str(imported)]})
    status, out, _ = operator.run(f"{imported.repository}@{imported.digest}")
    (command,) = [line for line in out.splitlines() if "aws ecr " in line]
    assert status == 0
    assert " --region ap-southeast-2 --registry-id 123456789012 --repository-name hub/library/nginx " in command


def test_an_operator_who_erred_undoes_it(operator: Operator) -> None:
    other = image(1)
    operator.aws.answers["Invoke"] = answered({"remembered": [str(image())]})
    status, out, _ = operator.run("--undo", NAME, f"team/app@{other.digest}")
    assert (status, operator.sent) == (0, [{"remember": [NAME, f"team/app@{other.digest}"]}])
    assert out.splitlines() == [f"served again within two minutes: {image()}", f"was not refused: {other}"]


def test_the_answer_is_printed_as_json(operator: Operator) -> None:
    operator.aws.answers["Invoke"] = answered({"forgotten": [str(image())], "in_ecr": []})
    assert json.loads(operator.run("--json", NAME)[1]) == {
        "forgotten": [str(image())],
        "in_ecr": [],
        "indexes": {},
        "not_read": {},
    }


INDEX = "application/vnd.oci.image.index.v1+json"


def named_by(*images: Image, media_type: str = "application/vnd.oci.image.manifest.v1+json") -> list[dict[str, Any]]:
    """As an index names its manifests."""
    return [{"mediaType": media_type, "digest": each.digest, "size": 700} for each in images]


def test_the_manifests_that_an_index_names_go_with_it_also_those_of_an_index_in_it(operator: Operator) -> None:
    amd64, arm64, inner, deep = map(image, (1, 2, 3, 4))
    wrong: list[Any] = [None, {"digest": 1}, {"digest": "sha256:x"}]
    operator.indexes = {
        image().digest: [*named_by(amd64, arm64), *named_by(inner, media_type=INDEX), *wrong],
        inner.digest: named_by(deep, image()),
    }
    operator.aws.answers["Invoke"] = answered({"forgotten": [], "in_ecr": []})
    status, out, _ = operator.run(NAME)
    every = [image(), amd64, arm64, inner, deep]
    assert (status, operator.sent) == (0, [{"forget": [f"{each.repository}@{each.digest}" for each in every]}])
    assert f"4 of these are named by the index {image()}" in out.splitlines()
    shown = json.loads(operator.run("--json", NAME)[1])
    assert shown["indexes"] == {str(image()): [str(each) for each in every[1:]]}
    assert operator.aws.asked[0][1]["registryId"] == "123456789012"


def test_what_went_with_an_index_comes_back_with_it(operator: Operator) -> None:
    operator.indexes = {image().digest: named_by(image(1))}
    operator.aws.answers["Invoke"] = answered({"remembered": [str(image()), str(image(1))]})
    _, out, _ = operator.run("--undo", NAME)
    assert operator.sent == [{"remember": [NAME, f"team/app@{image(1).digest}"]}]
    assert f"served again within two minutes: {image(1)}" in out.splitlines()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [("AccessDeniedException: not authorized", "not authorized"), (None, "no answer is set for BatchGetImage")],
    ids=["denied", "unreachable"],
)
def test_an_image_that_the_operator_may_not_read_is_forgotten_alone_and_the_output_says_so(
    operator: Operator, answer: Answer | None, reason: str
) -> None:
    operator.aws.answers |= {"Invoke": answered({"forgotten": [], "in_ecr": []}), "BatchGetImage": answer}  # type: ignore[dict-item]  # None is no answer
    names = [NAME, f"team/app@{image(1).digest}"]
    status, out, _ = operator.run(*names)
    assert (status, operator.sent) == (0, [{"forget": names}])
    for each in (image(), image(1)):
        (line,) = [line for line in out.splitlines() if line.startswith("if it is an index") and str(each) in line]
        assert reason in line


FAILED = answered({"errorMessage": "Kubernetes answers 503", "errorType": "ClusterError"}, error="Unhandled")


@pytest.mark.parametrize(
    ("answers", "expected", "message"),
    [
        ({"Invoke": FAILED}, 1, "frontdoor: ClusterError: Kubernetes answers 503\n"),
        ({"Invoke": "AccessDeniedException: no"}, 1, "frontdoor: AWS refused or did not answer: "),
        ({"DescribeStacks": "AccessDenied: no"}, 1, "frontdoor: AWS refused or did not answer: "),
        (stack(FunctionName="refresher"), 2, "is CREATE_COMPLETE and has no output WatcherName. Fix: deploy"),
        ({"DescribeStacks": "ValidationError: it does not exist"}, 2, "does not exist in ap-southeast-2. Fix: deploy"),
    ],
    ids=["failed", "refused", "not listed", "without a watcher", "without a stack"],
)
def test_a_failure_is_one_line_and_never_status_0(
    operator: Operator, answers: dict[str, Answer], expected: int, message: str
) -> None:
    operator.aws.answers |= answers
    status, out, err = operator.run(NAME)
    assert (status, out) == (expected, "")
    assert message in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("team/app:1.4", "team/app:1.4 has no digest. Fix: crane digest registry.example.net/team/app:1.4 prints it"),
        ("registry.example.net/team/app", "team/app has no digest. Fix: crane digest registry.example.net/team/app "),
        ("team/app@1.4", "'team/app@1.4' is not an image: must be repository@sha256:<64 hexadecimal digits>"),
        (
            f"other/app@{image().digest}",
            "no client can pull from other/app: the registries of the settings allow team/*",
        ),
    ],
)
def test_a_name_that_cannot_be_meant_is_status_2_and_nothing_is_sent(
    operator: Operator, name: str, message: str
) -> None:
    status, _, err = operator.run(name)
    assert (status, operator.aws.asked) == (2, [])
    assert message in err


def test_without_deletions_the_pods_refuse_nothing(operator: Operator) -> None:
    operator.file.write_text(operator.file.read_text("utf-8") + "[watcher]\ndeletions = false\n", encoding="utf-8")
    status, _, err = operator.run(NAME)
    assert (status, operator.aws.asked) == (2, [])
    assert "watcher.deletions = false: the pods refuse no image. Fix: set it to true, and deploy" in err
