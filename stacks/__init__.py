"""The AWS side as CDK: `FrontdoorStack` composes, each other module is one concern."""

from stacks.frontdoor_stack import FrontdoorStack

__all__ = ["FrontdoorStack"]
