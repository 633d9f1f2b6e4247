"""An admission webhook that answers as a test says, and what makes the API server ask it."""

import base64
import json
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lightkube import ApiError, Client
from lightkube.codecs import from_dict

from testbed.sandbox.certificates import Authority, Leaf
from tests.cluster.site import Site

Answer = Callable[[dict[str, Any]], dict[str, Any]]
"""From the AdmissionReview's request to its response, without the uid."""


@contextmanager
def webhook(answer: Answer, folder: Path) -> Iterator[dict[str, Any]]:
    """Serve `answer` with TLS on loopback; the client configuration by which the API server calls it."""
    authority, key = Authority.create(), ec.generate_private_key(ec.SECP256R1())
    certificate = authority.issue(Leaf("webhook", "webhook", names=("127.0.0.1",)), key)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "webhook.pem").write_bytes(certificate.public_bytes(Encoding.PEM) + private)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["request"]
            review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}
            body = json.dumps({**review, "response": {"uid": request["uid"], **answer(request)}}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """pytest shows what fails."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "webhook.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        bundle = base64.b64encode(authority.certificate.public_bytes(Encoding.PEM)).decode()
        yield {"url": f"https://127.0.0.1:{server.server_port}/", "caBundle": bundle}
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def policy(site: Site, expression: str, message: str, reason: str) -> Iterator[str]:
    """A ValidatingAdmissionPolicy on this namespace that is in force; its name."""
    namespace = site.settings.cluster.namespace
    name, api = f"require-owner-{namespace}", "admissionregistration.k8s.io/v1"
    # A selector of namespaces admits objects without one: other tests' webhooks would be refused.
    rule = {"apiGroups": [""], "apiVersions": ["*"], "operations": ["*"], "resources": ["configmaps", "secrets"]}
    constraints = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "resourceRules": [rule],
    }
    validation = {"expression": expression, "message": message, "reason": reason}
    objects = [
        {
            "apiVersion": api,
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": {"failurePolicy": "Fail", "matchConstraints": constraints, "validations": [validation]},
        },
        {
            "apiVersion": api,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": {"policyName": name, "validationActions": ["Deny"]},
        },
    ]
    with applied(site.administrator, objects):
        wait_until_refused(site)
        yield name


@contextmanager
def registered(site: Site, kind: str, client_config: dict[str, Any], resources: list[str]) -> Iterator[None]:
    """A webhook configuration of this kind, for writes of these resources in this namespace."""
    namespace = site.settings.cluster.namespace
    hook = {
        "name": "owner.example.net",
        "clientConfig": client_config,
        "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": resources}],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 5,
    }
    api = "admissionregistration.k8s.io/v1"
    with applied(
        site.administrator, [{"apiVersion": api, "kind": kind, "metadata": {"name": namespace}, "webhooks": [hook]}]
    ):
        yield


@contextmanager
def applied(administrator: Client, documents: list[dict[str, Any]]) -> Iterator[None]:
    """These objects, deleted at the end."""
    objects: list[Any] = [from_dict(document) for document in documents]
    for one in objects:
        administrator.apply(one)
    try:
        yield
    finally:
        for one in objects:
            administrator.delete(type(one), one.metadata.name)


def wait_until_refused(site: Site) -> None:
    """Wait until the API server refuses a ConfigMap: it reads new policies and webhooks within a second or so."""
    probe = {"name": "probe", "namespace": site.settings.cluster.namespace}
    for attempt in range(100):
        data = {"attempt": str(attempt)}
        try:
            site.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": probe, "data": data})
        except ApiError:
            return
        time.sleep(0.2)
    raise AssertionError("the API server refuses nothing within 20 s")
