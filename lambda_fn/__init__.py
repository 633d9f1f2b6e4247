"""What ships in the Lambda: fetch the ECR token, render the proxy's configuration, push both into EKS."""
