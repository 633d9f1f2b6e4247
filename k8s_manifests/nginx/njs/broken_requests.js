// Keeps the circuit of a registry with a replica from being open for as long as clients repeat one request that the registry fails:
// the first failure opens it, and a copy of a request is the probe. The replica answers that one request at once, too.
// docs/decisions/0045-failover-to-a-replica.md has the reasons.

import breaker from './circuit_breaker.js';

// How long the failures of a path do not count, once the registry has answered another one in between.
const IGNORED_MS = 60_000;

// What the zone has for each circuit: paths, and what has one in its name.
const OPENED_BY = 'opened by';
const SERVED = 'served';
const servedAlike = path => `${SERVED} ${(/\/(?:manifests|blobs|tags|referrers)\//.exec(path) || [''])[0]}`;
const ignored = path => `ignored ${path}`;
const shut = path => `shut ${path}`;
const copied = path => `copied ${path}`;

function key(circuit, field) {
    return `${circuit.name} ${field}`;
}

// Notes a path. Where a zone is full, njs may free an entry while it overwrites its text, so nothing is overwritten.
function note(circuit, field, path) {
    const requests = ngx.shared.circuit_requests;
    if (requests.get(key(circuit, field)) !== path) {
        requests.delete(key(circuit, field));
        requests.set(key(circuit, field), path);
    }
}

// Records the outcome of a request for a path: see `record` of the circuit breaker.
function recordForPath(circuit, opening, outcome, path, throttledSeconds) {
    const requests = ngx.shared.circuit_requests;
    const isIgnored = requests.has(key(circuit, ignored(path)));
    const before = breaker.state(circuit);
    breaker.record(circuit, opening, isIgnored && outcome === 'failed' ? 'unused' : outcome, throttledSeconds);
    if (outcome === 'failed' && isIgnored) {
        requests.add(key(circuit, shut(path)), '1', IGNORED_MS);
    } else if (outcome === 'succeeded') {
        requests.delete(key(circuit, shut(path)));
    }
    const after = breaker.state(circuit);
    if (before === 'closed' && after === 'open') {
        note(circuit, OPENED_BY, path);
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
        requests.add(key(circuit, ignored(opener)), '1', IGNORED_MS);
    }
}

// Whether the registry is not asked for a path: it has failed again while it answered others. No client waits for a third time.
function isShut(circuit, path) {
    return ngx.shared.circuit_requests.has(key(circuit, shut(path)));
}

// Whether a copy of a request for such a path is to be sent now: the replica may lack what the registry has again.
function takeCopy(circuit, path) {
    return ngx.shared.circuit_requests.add(key(circuit, copied(path)), '1', circuit.pauseSeconds * 1000);
}

// Notes a path of which the registry has sent what was requested. That it answers at `/v2/` does not say that it serves images.
function noteServed(circuit, path) {
    if (!path.endsWith('/v2/')) {
        [SERVED, servedAlike(path)].forEach(field => note(circuit, field, path));
    }
}

// The path of the next probe, for a client's request. Every second one repeats what the client requests. The others repeat what
// the registry has served last, of the same kind if it can be: that may be what is broken now, but no client has chosen it.
function pathOfProbe(circuit, path) {
    const isOdd = circuit.store.incr(key(circuit, 'probes'), 1, 0) % 2 === 1;
    const others = [servedAlike(path), SERVED].map(field => ngx.shared.circuit_requests.get(key(circuit, field)));
    return isOdd && others.find(other => other && other !== path) || path;
}

export default { isShut, noteServed, pathOfProbe, recordForPath, takeCopy };
