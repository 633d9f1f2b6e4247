"""Benchmarks: ecr-frontdoor compared with the alternatives in front of ECR. Only tests import this package."""
