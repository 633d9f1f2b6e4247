"""Whether each replica has what its registry has, against answers in the shapes of AWS's own service models."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cli.doctor.checks import replicas
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, Verdict
from lambda_fn.settings import Replica, Settings
from tests.fakes.aws import Answer
from tests.unit.doctor.account import SETTINGS, context, findings

OK, WARNING, FAILED, SKIPPED = Verdict.OK, Verdict.WARNING, Verdict.FAILED, Verdict.SKIPPED
ACCOUNT, REGION = "123456789012", "ap-southeast-4"
REPLICA = f"replica {ACCOUNT} in {REGION}"
BACKFILL = (
    f"aws ecr start-replication-backfill --region ap-southeast-2 --destination region={REGION},registryId={ACCOUNT}"
)
MANIFEST = '{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": []}'
NOW = datetime.now(UTC)
OLD, NEW = NOW - timedelta(minutes=31), NOW - timedelta(minutes=20)


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def settings(**registry: object) -> Settings:
    (usual,) = SETTINGS.registries
    changed = usual.model_copy(update={"replicas": (Replica(account=ACCOUNT, region=REGION),)} | registry)
    return SETTINGS.model_copy(update={"registries": (changed,)})


def rules(*filters: str, account: str = ACCOUNT, region: str = REGION) -> dict[str, Any]:
    places = [{"region": "eu-west-1", "registryId": ACCOUNT}, {"region": region, "registryId": account}]
    rule: dict[str, Any] = {"destinations": places}
    if filters:
        rule["repositoryFilters"] = [{"filter": text, "filterType": "PREFIX_MATCH"} for text in filters]
    return {"registryId": ACCOUNT, "replicationConfiguration": {"rules": [rule]}}


def images(*pushed: tuple[int, datetime], **more: str) -> dict[str, Any]:
    return {"imageDetails": [{"imageDigest": digest(n), "imagePushedAt": at} | more for n, at in pushed]}


def both(of_registry: Answer, of_replica: Answer) -> Callable[[Mapping[str, Any]], Mapping[str, Any] | str]:
    """The answers of the two sides; the check names the account of the replica, which may be another one."""

    def answer(parameters: Mapping[str, Any]) -> Mapping[str, Any] | str:
        chosen = of_replica if "registryId" in parameters else of_registry
        return chosen(parameters) if callable(chosen) else chosen

    return answer


def lacking(*missing: int) -> Callable[[Mapping[str, Any]], Mapping[str, Any] | str]:
    """The images of the replica: all but these."""

    def answer(parameters: Mapping[str, Any]) -> Mapping[str, Any] | str:
        (image,) = parameters["imageIds"]
        return "ImageNotFoundException" if image["imageDigest"] in map(digest, missing) else images((0, OLD))

    return answer


def found(changed: Mapping[str, Answer] | None = None, of: Settings | None = None) -> list[Finding]:
    answers: dict[str, Answer] = {
        "DescribeRegistry": rules(),
        "DescribeImages": both(images((1, OLD), (2, OLD - timedelta(days=1))), lacking()),
    }
    return findings(replicas.CHECK, context(answers | dict(changed or {}), of or settings()))


def test_a_replica_with_the_newest_images_is_ok() -> None:
    (one,) = found()
    assert (one.verdict, one.message) == (OK, f"the {REPLICA} has the newest images of 1 repositories")


def test_a_mirror_does_not_fail_over_so_its_images_and_patterns_are_not_compared() -> None:
    (team,) = settings().registries
    mirror = team.model_copy(update={"repositories": ("docker-hub/*",), "pull_through": True})
    names = [{"repositoryName": name} for name in ("docker-hub/library/nginx", "team/app")]
    answers: dict[str, Answer] = {
        "DescribeRegistry": rules("team/"),
        "DescribeRepositories": both({"repositories": names}, {"repositories": names[1:]}),
    }
    for tables in ((team, mirror), (mirror, team)):
        (one,) = found(answers, SETTINGS.model_copy(update={"registries": tables}))
        assert (one.verdict, one.message) == (OK, f"the {REPLICA} has the newest images of 1 repositories")
    assert found(answers, SETTINGS.model_copy(update={"registries": (mirror,)})) == []


def test_without_a_replica_nothing_is_asked() -> None:
    given = context()
    assert findings(replicas.CHECK, given) == []
    assert given.aws.asked == []  # type: ignore[attr-defined]  # FakeAws


@pytest.mark.parametrize(
    "answer",
    [
        {"registryId": ACCOUNT, "replicationConfiguration": {"rules": []}},
        rules(region="eu-west-2"),
        rules(account="210987654321"),
    ],
)
def test_a_registry_without_a_rule_to_its_replica_is_a_failure(answer: Answer) -> None:
    first, _ = found({"DescribeRegistry": answer})
    assert first.verdict is FAILED
    assert "registry 123456789012 in ap-southeast-2 has no replication rule" in first.message
    assert REPLICA in first.message
    assert BACKFILL in first.hint


@pytest.mark.parametrize(
    ("filters", "verdicts"),
    [
        (("team/",), [OK]),
        (("te",), [OK]),
        (("base/", "team/"), [OK]),
        (("base/",), [WARNING, OK]),
        (("team/app",), [WARNING, OK]),
    ],
)
def test_a_rule_that_does_not_replicate_all_that_clients_may_pull_is_a_warning(
    filters: tuple[str, ...], verdicts: list[Verdict]
) -> None:
    listed = found({"DescribeRegistry": rules(*filters)})
    assert [one.verdict for one in listed] == verdicts
    assert verdicts == [OK] or f"replicate only {', '.join(filters)}: not all of team/*" in listed[0].message


def test_an_image_that_was_pushed_half_an_hour_ago_and_is_not_there_is_late_with_the_reason_of_ecr() -> None:
    status = {"region": REGION, "registryId": ACCOUNT, "status": "FAILED", "failureCode": "AccessDenied"}
    (one,) = found(
        {
            "DescribeImages": both(images((1, OLD), (2, OLD)), lacking(2)),
            "DescribeImageReplicationStatus": {"replicationStatuses": [status | {"region": "eu-west-1"}, status]},
        }
    )
    assert (one.verdict, one.hint) == (WARNING, BACKFILL)
    assert f"team/app@{digest(2)}; ECR says of the first: FAILED (AccessDenied)" in one.message
    assert digest(1) not in one.message


def test_an_image_that_was_pushed_just_now_is_on_its_way() -> None:
    (one,) = found({"DescribeImages": both(images((1, NEW), (2, OLD)), lacking(1))})
    assert (one.verdict, "1 new ones are on their way" in one.message) == (OK, True)


def test_only_the_newest_three_are_compared_and_no_archived_image() -> None:
    pushed = [(number, OLD - timedelta(days=number)) for number in range(1, 8)]
    assert [one.verdict for one in found({"DescribeImages": both(images(*pushed), lacking(4, 5, 6, 7))})] == [OK]
    archived = images((1, OLD), imageStatus="ARCHIVED")
    assert [one.verdict for one in found({"DescribeImages": both(archived, lacking(1))})] == [OK]


def test_a_repository_that_the_replica_lacks_is_named_once() -> None:
    (one,) = found({"DescribeImages": both(images((1, OLD), (2, OLD)), "RepositoryNotFoundException")})
    assert (one.verdict, one.message) == (WARNING, f"the {REPLICA} lacks team/app")


def test_a_repository_without_images_is_missing_nothing() -> None:
    listed = both({"repositories": [{"repositoryName": "team/empty"}]}, {"repositories": []})
    answers = {"DescribeRepositories": listed, "DescribeImages": both(images(), "RepositoryNotFoundException")}
    assert [one.verdict for one in found(answers)] == [OK]


def test_ten_of_many_repositories_are_compared_and_first_those_that_the_replica_does_not_list() -> None:
    names = [f"team/{number:03}" for number in range(200)]
    on_replica = [name for name in names if name != "team/007"]
    given = context(
        {
            "DescribeRegistry": rules(),
            "DescribeRepositories": both(
                {"repositories": [{"repositoryName": name} for name in names]},
                {"repositories": [{"repositoryName": name} for name in on_replica]},
            ),
            "DescribeImages": both(images((1, OLD)), lacking()),
        },
        settings(),
    )
    (one,) = findings(replicas.CHECK, given)
    asked = [parameters for name, parameters in given.aws.asked if name == "DescribeImages"]  # type: ignore[attr-defined]  # FakeAws
    compared = [parameters["repositoryName"] for parameters in asked if "registryId" not in parameters]
    assert compared == ["team/007", *(f"team/{number:03}" for number in range(0, 180, 20))]
    assert "10 repositories" in one.message
    assert len(given.aws.asked) < 40  # type: ignore[attr-defined]  # FakeAws


def test_what_another_account_does_not_let_the_operator_read_is_skipped() -> None:
    foreign = settings(replicas=(Replica(account="210987654321", region=REGION),))
    usual = {"repositories": [{"repositoryName": "team/app"}]}
    answers: dict[str, Answer] = {
        "DescribeRegistry": rules(account="210987654321"),
        "DescribeRepositories": both(usual, "AccessDeniedException"),
        "DescribeImages": both(images((1, OLD)), "AccessDeniedException"),
    }
    (one,) = found(answers, foreign)
    assert one.verdict is SKIPPED
    assert "AccessDeniedException" in one.message
    (other,) = found(of=settings(account="210987654321"))
    assert (other.verdict, "210987654321" in other.message) == (SKIPPED, True)


def test_rules_that_cannot_be_read_do_not_stop_the_comparison() -> None:
    first, second = found({"DescribeRegistry": "AccessDeniedException"})
    assert (first.verdict, second.verdict) == (SKIPPED, OK)


def test_the_answers_of_moto_are_understood() -> None:
    with mock_aws():
        aws = boto3.Session("AKIAFAKE", "fake", region_name="ap-southeast-2")
        source, target = aws.client("ecr"), aws.client("ecr", region_name=REGION)
        source.put_replication_configuration(
            replicationConfiguration={"rules": [{"destinations": [{"region": REGION, "registryId": ACCOUNT}]}]}
        )
        for name in ("team/app", "team/other"):
            source.create_repository(repositoryName=name)
            source.put_image(repositoryName=name, imageManifest=MANIFEST, imageTag="1")
        target.create_repository(repositoryName="team/app")
        given = CheckContext(settings=settings(), aws=aws)
        first = findings(replicas.CHECK, given)
        target.put_image(repositoryName="team/app", imageManifest=MANIFEST, imageTag="1")
        second = findings(replicas.CHECK, given)
    assert [one.verdict for one in first] == [OK]
    assert "2 new ones are on their way" in first[0].message
    assert "1 new ones are on their way" in second[0].message
