// The CRD of the ServiceMonitor: no program is built of it.
module ecr-frontdoor/sandbox/tools/monitoring

go 1.26.0

require github.com/prometheus-operator/prometheus-operator v0.85.0
