"""The form of a repository's name in ECR. Pure.

ECR answers 400 to any other name, so the settings and the nginx configuration have no other.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html : 2 to 256 characters, and the
grammar of the OCI distribution specification. An earlier form, which ECR's messages still quote
(`must satisfy regular expression '(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*...'`), has neither `__` nor `--`.

The expressions are in the syntax that Python, JavaScript and PCRE share. Each text has one way to match, so matching
takes no longer than reading it.
"""

SEPARATOR = r"(?:[._/]|__|-+)"
"""An expression for what stands between two words."""
FORM = rf"[a-z0-9]+(?:{SEPARATOR}[a-z0-9]+)*"
"""An expression for a name of any length."""
NAME = rf"(?=.{{2,256}}$){FORM}"
"""An expression for a whole text that is a name."""
