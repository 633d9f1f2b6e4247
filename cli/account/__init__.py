"""What the command reads of an AWS account before anything is deployed."""
