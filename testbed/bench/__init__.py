"""Benchmarks: ecr-frontdoor beside what else could stand in front of ECR. Nothing imports this but tests."""
