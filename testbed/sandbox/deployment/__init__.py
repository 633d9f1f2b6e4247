"""`cdk deploy` of the real app against the sandbox's AWS, and what follows from template and assets."""
