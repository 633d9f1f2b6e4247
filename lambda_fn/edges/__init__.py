"""The outside parties of the Lambda, one module for each: ECR, EKS, the Kubernetes API, the domain, CloudWatch."""
