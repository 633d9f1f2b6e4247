"""AWS and ECR on one machine: moto and a real registry behind a front; `testbed/docs/ecr-double.md` is its contract."""
