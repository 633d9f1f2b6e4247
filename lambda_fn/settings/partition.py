"""Which partition of AWS a region belongs to: they share no account, no name and no credential. Pure."""

_BY_PREFIX = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "us-isof-": "aws-iso-f",
    "eu-isoe-": "aws-iso-e",
    "eusc-": "aws-eusc",
}
"""Source: `partitions.json` of botocore, whose expressions for each partition's regions begin so; a test compares."""


def partition_of(region: str) -> str:
    """`aws`, unless the region's name says otherwise."""
    return next((name for prefix, name in _BY_PREFIX.items() if region.startswith(prefix)), "aws")
