// The CRDs of the Gateway API: no program is built of it.
module ecr-frontdoor/sandbox/tools/gateway

go 1.26.0

require sigs.k8s.io/gateway-api v1.6.3
