"""Paths of the registry API and what each needs."""

import pytest

from testbed.sandbox.cloud.routes import Route, parse

DIGEST = f"sha256:{'0' * 64}"


@pytest.mark.parametrize(
    ("request_line", "expected"),
    [
        ("GET /v2/", Route("ping")),
        ("GET /v2/_catalog", Route("catalog", action="ecr:DescribeRepositories")),
        ("GET /v2/a/manifests/1.4", Route("manifests", "a", "1.4", "ecr:BatchGetImage")),
        ("HEAD /v2/a/b/c/manifests/x", Route("manifests", "a/b/c", "x", "ecr:BatchGetImage")),
        ("PUT /v2/a/manifests/x", Route("manifests", "a", "x", "ecr:PutImage")),
        (f"GET /v2/a/blobs/{DIGEST}", Route("blobs", "a", DIGEST, "ecr:GetDownloadUrlForLayer")),
        (f"HEAD /v2/a/blobs/{DIGEST}", Route("blobs", "a", DIGEST, "ecr:BatchCheckLayerAvailability")),
        ("GET /v2/a/tags/list", Route("tags", "a", "list", "ecr:ListImages")),
        (f"GET /v2/a/referrers/{DIGEST}", Route("referrers", "a", DIGEST, "ecr:BatchGetImage")),
        ("POST /v2/a/blobs/uploads/", Route("uploads", "a", "", "ecr:InitiateLayerUpload")),
        ("PUT /v2/a/blobs/uploads/u-1", Route("uploads", "a", "u-1", "ecr:CompleteLayerUpload")),
        ("GET /v2/manifests/manifests/1", Route("manifests", "manifests", "1", "ecr:BatchGetImage")),
    ],
)
def test_a_route_names_repository_reference_and_action(request_line: str, expected: Route) -> None:
    assert parse(*request_line.split()) == expected


@pytest.mark.parametrize(
    "request_line",
    ["GET /", "GET /v2", "GET /v2/a", "GET /v2//manifests/1", "POST /v2/a/manifests/1", "PATCH /v2/_catalog"],
)
def test_anything_else_has_no_route(request_line: str) -> None:
    assert parse(*request_line.split()) is None


@pytest.mark.parametrize(("method", "writes"), [("POST", True), ("PATCH", False), ("GET", False)])
def test_the_start_of_an_upload_writes(method: str, *, writes: bool) -> None:
    route = parse(method, "/v2/a/blobs/uploads/u")

    assert route is not None
    assert route.writes is writes
