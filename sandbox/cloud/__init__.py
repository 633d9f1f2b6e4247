"""AWS and ECR on one machine: moto and a real registry behind a front that behaves as `docs/ecr-double.md` says."""
