"""A layer, the way to it, and the errors of S3."""

from xml.etree import ElementTree as ET

import httpx2

LAYER = bytes(range(256)) * 40


def located(ecr: httpx2.Client, repository: str, digest: str) -> str:
    return ecr.get(f"/v2/{repository}/blobs/{digest}").headers["Location"]


def error_code(answer: httpx2.Response) -> tuple[int, str | None]:
    assert answer.headers["Content-Type"].startswith("application/xml")
    return answer.status_code, ET.fromstring(answer.text).findtext("Code")  # noqa: S314  the double's own answer
