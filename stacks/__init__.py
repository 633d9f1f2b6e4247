"""The AWS side as CDK: `frontdoor_stack` composes, each other module is one concern."""
