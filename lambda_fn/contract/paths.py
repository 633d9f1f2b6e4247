"""Where a proxy pod has its files, and the ports and paths on which nginx answers. Pure."""

CONFIG = "/etc/frontdoor/config"
"""Mount of the rendered configuration. A pod copies it to `RUN` when it starts, since a ConfigMap changes in place."""
SCRIPTS = "/etc/frontdoor/scripts"
"""Mount of the njs modules, copied likewise."""
CREDENTIAL = "/etc/frontdoor/credential"
"""Mount of the pull secret, which nginx reads anew for each request to ECR."""
TLS = "/etc/frontdoor/tls"
"""Mount of the TLS Secret, where nginx terminates TLS. A renewed certificate is read within a minute."""
HINTS = "/etc/frontdoor/hints"
"""Mount of the hints, which nginx reads anew every few seconds. It is empty until the watcher has written some."""
PAGE = "/etc/frontdoor/page"
"""Mount of the files of the page."""
CATALOGUE = "/etc/frontdoor/catalogue"
"""Mount of the catalogue: those of its files that the watcher has written."""
RUN = "/run/frontdoor"
"""Writable: what the pod was rolled out with, pid file, sockets, temporary files."""
CACHE = "/var/cache/frontdoor"
"""Writable: the cache."""

HTTP_PORT = 8080
"""Always open, at least for the kubelet's probes."""
HTTPS_PORT = 8443
"""Open where nginx terminates TLS."""
PROXY_PROTOCOL = "proxy-protocol"
"""The name of the port with PROXY protocol."""
PROXY_PROTOCOL_PORT = 8082
"""Open behind the stack's load balancer, which begins each connection with a PROXY protocol header. With TLS where
nginx terminates it.
"""
METRICS = "metrics"
"""The name of the port for Prometheus."""
METRICS_PORT = 8083
"""Open where the settings name the namespace of the monitoring."""

METRICS_PATH = "/-/metrics"
"""What Prometheus requests there."""
STARTUP = "/-/startup"
"""200 when every registry accepts the mounted credential."""
READY = "/-/ready"
"""200 while this pod should receive clients."""
LIVE = "/-/live"
"""200 while nginx answers."""
