// Keeps the circuit of a registry with a replica from being open for as long as clients repeat one request that the registry fails:
// the first failure opens it, and a copy of a request is the probe.
// docs/decisions/0045-failover-to-a-replica.md has the reasons.

import breaker from './circuit_breaker.js';

// How long the failures of a path do not count, once the registry has answered another one in between.
const IGNORED_MS = 60_000;

// What the zone has for each circuit, all of them paths but for `ignored`, which has one in its name.
const OPENED_BY = 'opened by';
const SERVED = 'served';
const servedAlike = path => `${SERVED} ${(/\/(?:manifests|blobs|tags|referrers)\//.exec(path) || [''])[0]}`;
const ignored = path => `ignored ${path}`;

function key(circuit, field) {
    return `${circuit.name} ${field}`;
}

// Records the outcome of a request for a path: see `record` of the circuit breaker.
function recordForPath(circuit, opening, outcome, path, throttledSeconds) {
    const requests = ngx.shared.circuit_requests;
    const isIgnored = outcome === 'failed' && requests.has(key(circuit, ignored(path)));
    const before = breaker.state(circuit);
    breaker.record(circuit, opening, isIgnored ? 'unused' : outcome, throttledSeconds);
    const after = breaker.state(circuit);
    if (before === 'closed' && after === 'open') {
        requests.set(key(circuit, OPENED_BY), path);
    } else if (before !== 'closed' && after === 'closed') {
        ignoreOpener(circuit, path);
    }
}

// The failure was of this one path, since another one closes the circuit. What has failed for many paths opens it again.
function ignoreOpener(circuit, path) {
    const requests = ngx.shared.circuit_requests;
    const opener = requests.get(key(circuit, OPENED_BY));
    requests.delete(key(circuit, OPENED_BY));
    if (opener && opener !== path) {
        requests.set(key(circuit, ignored(opener)), '1', IGNORED_MS);
    }
}

// Notes a path of which the registry has sent what was requested. That it answers at `/v2/` does not say that it serves images.
function noteServed(circuit, path) {
    if (!path.endsWith('/v2/')) {
        [SERVED, servedAlike(path)].forEach(field => ngx.shared.circuit_requests.set(key(circuit, field), path));
    }
}

// The path of the next probe, for a client's request. Every second one repeats what the client requests. The others repeat what
// the registry has served last, of the same kind if it can be: that may be what is broken now, but no client has chosen it.
function pathOfProbe(circuit, path) {
    const isOdd = circuit.store.incr(key(circuit, 'probes'), 1, 0) % 2 === 1;
    const others = [servedAlike(path), SERVED].map(field => ngx.shared.circuit_requests.get(key(circuit, field)));
    return isOdd && others.find(other => other && other !== path) || path;
}

export default { noteServed, pathOfProbe, recordForPath };
