"""The AWS side as CDK.

`frontdoor_stack` composes, with `refresh`, `monitoring` and `deployment`; each other module is one concern.
"""
