// Puts a circuit breaker between nginx and each ECR registry.

import breaker from './circuit_breaker.js';

function circuitOf(r, host) {
    return {
        name: host,
        store: ngx.shared.circuit,
        now: Date.now,
        deadlineMs: Number(r.variables.ecr_deadline_ms),
        pauseSeconds: Number(r.variables.pause_seconds),
    };
}

// The upstream for a request to the registry $ecr_host: the registry itself, or the server `circuit`, which answers with
// the status in its path. Without a credential, ECR is not asked.
function ecr_upstream(r) {
    const host = r.variables.ecr_host;
    if (r.variables.ecr_authorization === '') {
        return 'http://circuit/403';
    }
    const permit = breaker.tryAcquire(circuitOf(r, host));
    r.variables.circuit_opening = permit.opening;
    return permit.allowed ? `https://${host}` : `http://circuit/${permit.status}`;
}

// Records the outcome of a request to ECR in the circuit breaker of $ecr_host.
function recordOutcome(r) {
    if (r.variables.ecr_upstream.startsWith('https:')) {
        breaker.record(
            circuitOf(r, r.variables.ecr_host), r.variables.circuit_opening, outcome(r),
            Number(r.variables.upstream_http_retry_after)
        );
    }
}

function outcome(r) {
    // An address has a port. Without one ECR was not asked: the answer came from the cache, or the name has no address.
    if (!/:\d/.test(r.variables.upstream_addr || '')) {
        return 'unused';
    }
    if (r.status === 429) {
        return 'throttled';
    }
    // ECR's own 5xx, or nginx's for an answer that did not come in time.
    return r.status >= 500 ? 'failed' : 'succeeded';
}

// The value of Retry-After for a client: the seconds until the registry is asked again, at least one.
function retry_after_seconds(r) {
    const host = r.variables.ecr_host || r.variables.registry;
    return String(Math.max(1, breaker.secondsUntilHalfOpen(circuitOf(r, host))));
}

// The state of the circuit of each registry.
function states(r) {
    return r.variables.ecr_hosts.split(' ').map(host => breaker.state(circuitOf(r, host)));
}

// Why a registry is not asked, and since when in milliseconds; undefined while it is.
function failure(r, host) {
    const circuit = circuitOf(r, host);
    const since = breaker.openSince(circuit);
    return since && { reason: breaker.isThrottled(circuit) ? 'throttled' : 'unavailable', since };
}

export default { ecr_upstream, failure, recordOutcome, retry_after_seconds, states };
