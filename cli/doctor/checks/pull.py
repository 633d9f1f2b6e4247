"""A pull check through the domain: the manifest and the smallest layer of one image."""

from collections.abc import Iterator

from pydantic import ValidationError

from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, skipped
from lambda_fn.contract.errors import CanaryError
from lambda_fn.edges.canary import Canary
from lambda_fn.settings.canary import Canary as CanarySettings


def run(context: CheckContext) -> Iterator[Finding]:
    """The Lambda's own pull check, of the image on the command line or of the canary's."""
    try:
        image = image_to_pull(context.image, context.settings.canary)
    except ValidationError:
        yield failed(
            f"{context.image!r} is not a valid image reference", "write REPOSITORY:TAG or REPOSITORY@sha256:..."
        )
        return
    if image is None:
        yield skipped("no image to pull: --image REPOSITORY:TAG pulls its manifest and its smallest layer")
        return
    reference = f"{image.repository}{'@' if ':' in image.reference else ':'}{image.reference}"
    try:
        redirects = context.settings.proxy.blobs == "redirect"
        seconds = Canary(image, domain=context.settings.domain, may_redirect_blobs=redirects).pull()
    except CanaryError as error:
        yield failed(f"{reference}: {error}", "see docs/operations.md, When a pull fails")
        return
    yield ok(f"pulled the manifest and the smallest layer of {reference} in {seconds:.1f} s")


def image_to_pull(image: str | None, canary: CanarySettings | None) -> CanarySettings | None:
    """The image named, else the canary's. Both are pulled with the canary's certificate authority.

    Raises:
        ValidationError: `image` is not a valid reference.
    """
    if image is None:
        return canary
    repository, _, reference = image.partition("@") if "@" in image else image.rpartition(":")
    authority = canary.certificate_authority if canary else None
    return CanarySettings(repository=repository, reference=reference, certificate_authority=authority)


CHECK = Check("pull", Category.DOMAIN, run, needs=("registry",), runbook="docs/operations.md#when-a-pull-fails")
