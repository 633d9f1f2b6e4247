"""The two containers of a proxy pod: the one that checks the configuration, and nginx."""

from importlib.resources import files

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
    VolumeMount,
)

from lambda_fn.contract.paths import (
    CACHE,
    CONFIG,
    HTTP_PORT,
    HTTPS_PORT,
    LIVE,
    METRICS,
    METRICS_PORT,
    PROXY_PROTOCOL,
    PROXY_PROTOCOL_PORT,
    READY,
    RUN,
    SCRIPTS,
    STARTUP,
)
from lambda_fn.settings.proxy import Proxy, Resources

_SCRIPTS = files("k8s_manifests").joinpath("pod")
_FOLDERS = (CONFIG, SCRIPTS, RUN, CACHE)


def command(*names: str, arguments: tuple[str, ...]) -> list[str]:
    """A shell command that runs the scripts of `pod/` one after the other, with the same arguments.

    Comments and empty lines are left out: a reworded comment must not roll the pods.
    """
    lines = (line for name in names for line in _SCRIPTS.joinpath(name).read_text(encoding="utf-8").splitlines())
    text = "\n".join(line for line in lines if line.strip() and not line.lstrip().startswith("#"))
    return ["/bin/sh", "-c", text, names[-1], *arguments]


def check_container(proxy: Proxy, mounts: list[VolumeMount]) -> Container:
    """The init container: a configuration nginx refuses never becomes a pod that serves."""
    return Container(
        name="check-configuration",
        image=proxy.image,
        imagePullPolicy=proxy.image_pull_policy,
        command=command("nginx.sh", "check.sh", arguments=_FOLDERS),
        securityContext=_security(),
        resources=_resources(proxy.resources),
        volumeMounts=mounts,
    )


def nginx_container(proxy: Proxy, mounts: list[VolumeMount], *, endpoint_seconds: int) -> Container:
    """nginx, which keeps serving through a token refresh and finishes its pulls when it is stopped."""
    secure = proxy.pod_tls_secret is not None
    ports = [ContainerPort(name="http", containerPort=HTTP_PORT, protocol="TCP")]
    if secure:
        ports.append(ContainerPort(name="https", containerPort=HTTPS_PORT, protocol="TCP"))
    if proxy.exposure.client_address == "proxy_protocol":
        ports.append(ContainerPort(name=PROXY_PROTOCOL, containerPort=PROXY_PROTOCOL_PORT, protocol="TCP"))
    if proxy.monitoring_namespace:
        ports.append(ContainerPort(name=METRICS, containerPort=METRICS_PORT, protocol="TCP"))
    return Container(
        name="nginx",
        image=proxy.image,
        imagePullPolicy=proxy.image_pull_policy,
        command=command("nginx.sh", "start.sh", arguments=_FOLDERS),
        ports=ports,
        securityContext=_security(),
        resources=_resources(proxy.resources),
        volumeMounts=mounts,
        lifecycle=Lifecycle(
            preStop=LifecycleHandler(
                exec=ExecAction(command=command("stop.sh", arguments=(str(endpoint_seconds), RUN)))
            )
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
