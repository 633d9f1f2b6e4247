"""Paths of the registry API, and the IAM action each one needs. Pure.

The actions are those of "Actions, resources, and condition keys for Amazon ECR" in the service authorization reference.
"""

import re
from dataclasses import dataclass

_PATH = re.compile(
    r"/v2/(?:"
    r"(?P<ping>)|"
    r"(?P<catalog>_catalog)|"
    r"(?P<repository>.+)/(?P<what>manifests|blobs/uploads|blobs|tags|referrers)/(?P<reference>.*)"
    r")",
)
# Not the product's own, so that a test finds where it differs.
REPOSITORY = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*"
"""ECR's form for names, as its API reference has it."""
TAG = r"[a-zA-Z0-9-_.]+"
"""ECR's form for tags, as its messages have it."""
_LENGTHS = range(2, 257)

_ACTIONS = {
    ("manifests", "GET"): "ecr:BatchGetImage",
    ("manifests", "HEAD"): "ecr:BatchGetImage",
    ("manifests", "PUT"): "ecr:PutImage",
    ("manifests", "DELETE"): "ecr:BatchDeleteImage",
    ("blobs", "GET"): "ecr:GetDownloadUrlForLayer",
    ("blobs", "HEAD"): "ecr:BatchCheckLayerAvailability",
    ("tags", "GET"): "ecr:ListImages",
    ("referrers", "GET"): "ecr:BatchGetImage",
    ("catalog", "GET"): "ecr:DescribeRepositories",
    ("uploads", "POST"): "ecr:InitiateLayerUpload",
    ("uploads", "GET"): "ecr:UploadLayerPart",
    ("uploads", "PATCH"): "ecr:UploadLayerPart",
    ("uploads", "PUT"): "ecr:CompleteLayerUpload",
    ("uploads", "DELETE"): "ecr:UploadLayerPart",
}


@dataclass(frozen=True, slots=True)
class Route:
    """The target of a request to the registry.

    Attributes:
        kind: `ping`, `catalog`, `manifests`, `blobs`, `uploads`, `tags` or `referrers`.
        repository: Empty for `ping` and `catalog`.
        reference: What stands after the kind: a tag, a digest, an upload.
        action: The IAM action ECR asks for; empty where any valid token will do.
    """

    kind: str
    repository: str = ""
    reference: str = ""
    action: str = ""

    @property
    def pushes(self) -> bool:
        """Whether it is part of a push."""
        return self.kind == "uploads" or self.action == "ecr:PutImage"

    @property
    def writes(self) -> bool:
        """Whether it brings a repository into being."""
        return self.action in {"ecr:PutImage", "ecr:InitiateLayerUpload"}

    @property
    def has_invalid_name(self) -> bool:
        """Whether no repository of ECR can be called so."""
        name = self.repository
        return bool(name) and not (re.fullmatch(REPOSITORY, name) and len(name) in _LENGTHS)

    @property
    def has_invalid_tag(self) -> bool:
        """Whether it is of a manifest by neither a digest nor what can be a tag."""
        names_tag = self.kind == "manifests" and ":" not in self.reference
        return names_tag and not re.fullmatch(TAG, self.reference)


def parse(method: str, path: str) -> Route | None:
    """The route of a request; `None` where the registry API has nothing.

    Args:
        method: HTTP method.
        path: Decoded path without query.
    """
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    if match["ping"] is not None:
        return Route("ping")
    kind = "catalog" if match["catalog"] else match["what"].removeprefix("blobs/")
    action = _ACTIONS.get((kind, method))
    if action is None:
        return None
    return Route(kind, match["repository"] or "", match["reference"] or "", action)
