"""The two containers of a proxy pod: the one that checks the configuration, and nginx."""

from lightkube.models.core_v1 import (
    Capabilities,
    Container,
    ContainerPort,
    ExecAction,
    HTTPGetAction,
    Lifecycle,
    LifecycleHandler,
    Probe,
    ResourceRequirements,
    SecurityContext,
)

from k8s_manifests.volumes import mounts
from lambda_fn.contract.paths import CACHE, CONFIG, HTTP_PORT, HTTPS_PORT, LIVE, READY, RUN, STARTUP
from lambda_fn.settings.proxy import Proxy, Resources

# The module lies at this place in the official image and in Debian's package alike, and is loaded here so that the
# configuration itself is the same everywhere.
_NGINX = (
    f'nginx -p "$cache/" -e stderr -c {RUN}/nginx.conf '
    "-g 'load_module /usr/lib/nginx/modules/ngx_http_js_module.so; daemon off;'"
)

# nginx caches below its prefix (-p), and does not start when it cannot create its folders there. A pod without a cache
# is better than none: with any other prefix than the cache's, the njs module cache_disk.js turns caching off.
_HAS_FOLDERS = f"{{ [ -d {CACHE}/blobs ] && [ -d {CACHE}/manifests ]; }}"
_CAN_WRITE = f"{{ echo > {CACHE}/probe && rm -f {CACHE}/probe; }}"
_FIND_CACHE = (
    f"cache={CACHE}; {_HAS_FOLDERS} || {_CAN_WRITE} || "
    f"{{ cache={RUN}; echo 'the cache cannot be written: this container serves without caching' >&2; }}"
)

CHECK_SCRIPT = f"cp {CONFIG}/nginx.conf {RUN}/nginx.conf && {{ {_FIND_CACHE}; }} && {_NGINX} -t"
"""A container that restarts keeps the configuration its pod was rolled out with: it is copied once, and tested."""

START_SCRIPT = f"rm -f {RUN}/*.sock {CACHE}/*/?/??/*.??????????; {_FIND_CACHE}; exec {_NGINX}"
"""A killed nginx leaves its sockets in the pod's volume, and could not listen on them again. In its cache it leaves
files it was writing, of which it would never know again: a dot and ten digits end their names. They stay where the
cache can only be read, and do no harm.
"""


def stop_script(endpoint_seconds: int) -> str:
    """Stop without cutting a pull, whatever stop signal the image names.

    Kubernetes signals the container only after this hook, and SIGTERM would make nginx drop what it is serving. SIGQUIT
    would close the sockets between nginx's own servers, over which a running pull fetches its next slice. So the hook
    waits until nothing sends new clients here, then reloads nginx: the old workers finish their pulls, for as long as
    worker_shutdown_timeout lets them, while new ones answer on the sockets between. When the old ones are gone, nginx
    is asked to end; it is process 1, and the container ends with it. https://nginx.org/en/docs/control.html
    """
    # The brackets keep grep from finding its own command line.
    old_workers = "grep -qs 'is shutting dow[n]' /proc/[0-9]*/cmdline"
    finish = f"kill -HUP 1; sleep 2; while {old_workers}; do sleep 1; done"
    return f"sleep {endpoint_seconds}; {finish}; kill -QUIT 1; while kill -0 1; do sleep 1; done"


def check_container(proxy: Proxy) -> Container:
    """The init container: a configuration nginx refuses never becomes a pod that serves."""
    return Container(
        name="check-configuration",
        image=proxy.image,
        command=["/bin/sh", "-c", CHECK_SCRIPT],
        securityContext=_security(),
        resources=_resources(proxy.resources),
        volumeMounts=mounts(tls=proxy.pod_tls_secret is not None),
    )


def nginx_container(proxy: Proxy, *, endpoint_seconds: int) -> Container:
    """nginx, which keeps serving through a token refresh and finishes its pulls when it is stopped."""
    secure = proxy.pod_tls_secret is not None
    ports = [ContainerPort(name="http", containerPort=HTTP_PORT, protocol="TCP")]
    if secure:
        ports.append(ContainerPort(name="https", containerPort=HTTPS_PORT, protocol="TCP"))
    return Container(
        name="nginx",
        image=proxy.image,
        command=["/bin/sh", "-c", START_SCRIPT],
        ports=ports,
        securityContext=_security(),
        resources=_resources(proxy.resources),
        volumeMounts=mounts(tls=proxy.pod_tls_secret is not None),
        lifecycle=Lifecycle(
            preStop=LifecycleHandler(exec=ExecAction(command=["/bin/sh", "-c", stop_script(endpoint_seconds)]))
        ),
        # Through to ECR with the mounted credential, and through the certificate where nginx ends TLS. Five minutes,
        # so that a pod which came before its token finds it without a restart.
        startupProbe=_probe(STARTUP, port="https" if secure else "http", period=2, timeout=10, failures=150),
        # Shallow: an ECR that is down must not take away the pods that still answer what they can.
        readinessProbe=_probe(READY, port="http", period=5, timeout=2, failures=2),
        livenessProbe=_probe(LIVE, port="http", period=10, timeout=5, failures=6),
    )


def _probe(path: str, *, port: str, period: int, timeout: int, failures: int) -> Probe:
    return Probe(
        httpGet=HTTPGetAction(path=path, port=port, scheme=port.upper()),
        periodSeconds=period,
        timeoutSeconds=timeout,
        failureThreshold=failures,
    )


def _security() -> SecurityContext:
    return SecurityContext(
        allowPrivilegeEscalation=False,
        readOnlyRootFilesystem=True,
        capabilities=Capabilities(drop=["ALL"]),
    )


def _resources(resources: Resources) -> ResourceRequirements:
    return ResourceRequirements(
        requests={"cpu": resources.cpu_request, "memory": resources.memory_request},
        limits={"memory": resources.memory_limit},
    )
