"""Where the parts of the double listen on loopback, and how moto learns the caller. Pure."""

CONTROL_PORT = 9100
MOTO_PORT = 9101
REGISTRY_PORT = 9102
MINISTACK_PORT = 9103

LOOPBACK = "127.0.0.1"
MOTO_URL = f"http://{LOOPBACK}:{MOTO_PORT}"
MINISTACK_URL = f"http://{LOOPBACK}:{MINISTACK_PORT}"
REGISTRY_URL = f"http://{LOOPBACK}:{REGISTRY_PORT}"

REGIONS = ("ap-southeast-2", "eu-west-1")
"""Regions whose registries, layer buckets and APIs answer."""


def moto_authorization(access_key: str, *, region: str, service: str) -> str:
    """An `Authorization` header as moto needs it: it reads the scope and checks no signature."""
    scope = f"{access_key}/20260101/{region}/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=unchecked"
