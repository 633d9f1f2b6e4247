"""What may be right and deserves a word at synthesis, by setting."""

import json
from importlib.resources import files

from lambda_fn.settings import Settings


def synth_hints(settings: Settings) -> tuple[str, ...]:
    """Each a sentence that begins with the setting and its value, and says what to do."""
    return (*_regions(settings), *_image(settings.proxy.image))


def _regions(settings: Settings) -> list[str]:
    """Not errors: AWS opens regions faster than anybody learns of them."""
    regions = {"cluster.region": settings.cluster.region}
    regions |= {f"registries[{number}].region": registry.region for number, registry in enumerate(settings.registries)}
    known = _known_regions()
    return [
        f"{key} = {region}: botocore knows no such region; where it is not a new one, correct it"
        for key, region in regions.items()
        if region not in known
    ]


def _known_regions() -> frozenset[str]:
    # The file alone: botocore's own way to it is an import of a tenth of a second.
    partitions = json.loads(files("botocore").joinpath("data", "partitions.json").read_text("utf-8"))["partitions"]
    return frozenset(region for partition in partitions for region in partition["regions"])


def _image(image: str) -> tuple[str, ...]:
    if "@sha256:" in image:
        return ()
    said = "whoever may move this tag decides what runs in front of your registry; name the image by its digest"
    return (f"proxy.image = {image}: {said}, best in an ECR of your own",)
