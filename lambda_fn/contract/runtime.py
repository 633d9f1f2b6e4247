"""What the Lambda function runs on. Pure."""

PYTHON = "3.13"
"""The Python version of the function, and of the wheels in its bundle."""
HANDLER = "lambda_fn.handler.handler"
"""The function's entry point."""
