"""A whole local world made of real parts: a Kubernetes node, and AWS as it looks from inside a VPC."""
