"""nginx terminates TLS: HTTP/2, the certificate and its renewal, refused versions."""

import ssl
import time

import httpx2
import pytest

from lambda_fn.contract.objects import TEMPLATE_KEY
from testbed.sandbox.cloud.publish import Image, Publisher, digest_of
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import KeyPair, World
from tests.proxy.client import ACCEPT, Client, certificate_of

CACHED = "valid=1m"


@pytest.fixture(scope="module")
def exposure() -> str:
    return 'kind = "pod"\ntls_secret = "registry-tls"'


@pytest.fixture(scope="module")
def image(publisher: Publisher) -> Image:
    return publisher.image("team/app", "1.4", [b"layer" * 100_000])


@pytest.fixture
def proxy(pod: Pod, world: World) -> Pod:
    """A pod that serves TLS and looks for a renewed certificate every second."""
    pod.mount("tls", files(world.pair("domain")))
    template = pod.template(TEMPLATE_KEY)
    assert CACHED in template
    pod.configure(template.replace(CACHED, "valid=1s"))
    pod.start()
    return pod


def files(pair: KeyPair) -> dict[str, bytes]:
    """The content of a TLS Secret."""
    return {"tls.crt": pair.certificate.read_bytes(), "tls.key": pair.key.read_bytes()}


@pytest.mark.rule("R36")
@pytest.mark.usefixtures("proxy")
@pytest.mark.parametrize(("http2", "version"), [(True, "HTTP/2"), (False, "HTTP/1.1")])
def test_an_image_is_pulled_over_tls(
    image: Image, world: World, trust: ssl.SSLContext, *, http2: bool, version: str
) -> None:
    headers = ACCEPT | {"Host": world.domain}
    with httpx2.Client(verify=trust, http2=http2, trust_env=False, headers=headers) as session:

        def pull(path: str) -> httpx2.Response:
            url = f"https://127.0.0.1:8443/v2/team/app/{path}"
            return session.get(url, extensions={"sni_hostname": world.domain})

        manifest, layer = pull("manifests/1.4"), pull(f"blobs/{image.layers[0]}")
    assert (manifest.status_code, manifest.http_version, manifest.content) == (200, version, image.manifest)
    assert (layer.status_code, digest_of(layer.content)) == (200, image.layers[0])


@pytest.mark.rule("R37")
@pytest.mark.usefixtures("proxy")
def test_probes_need_no_tls(client: Client) -> None:
    assert client.get("/-/ready").status == 200


@pytest.mark.rule("R36")
def test_a_renewed_certificate_is_used_without_a_reload(proxy: Pod, world: World, trust: ssl.SSLContext) -> None:
    pid = proxy.pid
    shown = certificate_of(world.domain, trust)
    proxy.mount("tls", files(world.pair("s3")))
    time.sleep(1.5)
    renewed = certificate_of(world.s3_host, trust)
    assert renewed != shown
    assert proxy.pid == pid


@pytest.mark.rule("R36")
@pytest.mark.usefixtures("proxy")
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
@pytest.mark.parametrize(
    ("version", "gets_in"),
    [(ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)],
)
def test_tls_before_1_2_is_refused(world: World, version: ssl.TLSVersion, *, gets_in: bool) -> None:
    context = ssl.create_default_context(cafile=str(world.ca.certificate))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    if gets_in:
        assert certificate_of(world.domain, context)
    else:
        with pytest.raises(ssl.SSLError):
            certificate_of(world.domain, context)


def test_a_pod_without_its_certificate_fails_the_startup_probe(pod: Pod, world: World) -> None:
    """The probe uses TLS; nginx itself starts without a certificate whose path has a variable."""
    pod.start()
    with pytest.raises((ssl.SSLError, ConnectionError)):
        certificate_of(world.domain, ssl.create_default_context(cafile=str(world.ca.certificate)))
