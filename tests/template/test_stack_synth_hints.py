"""What may be right and may be a mistake is said at synthesis, and nothing is refused for it."""

import aws_cdk as cdk
import pytest

from stacks.synth_hints import synth_hints
from tests.template import configurations
from tests.template.synthesis import synthesize

PINNED = f'image = "public.ecr.aws/nginx/nginx:1.30.6@sha256:{"0" * 64}"'


def said(text: str) -> tuple[str, ...]:
    return synth_hints(configurations.parse(text))


def pinned(text: str) -> str:
    return text.replace("[proxy.exposure]", f"[proxy]\n{PINNED}\n[proxy.exposure]")


@pytest.mark.parametrize("region", ["ap-southeast-2", "us-gov-west-1", "cn-north-1"])
def test_a_known_region_and_a_pinned_image_are_not_spoken_of(region: str) -> None:
    assert said(pinned(configurations.text("public")).replace("ap-southeast-2", region)) == ()


def test_a_region_that_nobody_knows_is_named_with_its_setting() -> None:
    mistyped = pinned(configurations.text("public")).replace("ap-southeast-2", "ap-southest-2", 1)
    (hint,) = said(mistyped)
    assert hint.startswith("cluster.region = ap-southest-2: botocore knows no such region")


def test_an_image_with_a_tag_alone_is_named_whoever_keeps_it() -> None:
    (hint,) = said(configurations.text("public"))
    assert hint.startswith("proxy.image = public.ecr.aws/nginx/nginx:1.30.6: whoever may move this tag")
    (hint,) = said(configurations.text("several"))
    assert hint.startswith("proxy.image = 123456789012.dkr.ecr.eu-west-1.amazonaws.com/platform/nginx:1.30.6: who")


def test_whoever_synthesizes_is_told_and_the_template_is_made_all_the_same() -> None:
    settings = configurations.parse(configurations.text("external").replace("ap-southeast-2", "ap-southest-2"))
    stacks: list[cdk.Stack] = []
    assert synthesize(settings, and_add=stacks.append)["Resources"]
    told = [entry.data for entry in stacks[0].node.metadata if entry.type == "aws:cdk:info"]
    assert told == list(synth_hints(settings))
    assert len(told) == 3
