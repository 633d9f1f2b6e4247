// Puts a circuit breaker between nginx and each ECR registry.

import breaker from './circuit_breaker.js';
import broken_requests from './broken_requests.js';
import credential from './credential.js';
import probes from './probes.js';
import replicas from './replicas.js';

// So that one broken image does not open the circuit. Where a replica serves meanwhile, the first failure does.
const FAILURES_TO_OPEN = 3;

function circuitOf(r, name) {
    return {
        name,
        store: ngx.shared.circuit,
        now: Date.now,
        deadlineMs: Number(r.variables.ecr_deadline_ms),
        pauseSeconds: Number(r.variables.pause_seconds),
        failuresToOpen: FAILURES_TO_OPEN,
    };
}

// Of what only the registry itself has, although it has a replica: failures of the rest take nothing of it away.
function nameOfRest(host) {
    return `${host} alone`;
}

// A registry with a replica has two circuits: one for what the replica answers while it is open, and one for the rest.
function circuitOfRequest(r) {
    const host = r.variables.ecr_host;
    if (replicas.answerFor(r)) {
        return Object.assign(circuitOf(r, host), { failuresToOpen: 1 });
    }
    return circuitOf(r, r.variables.replica ? nameOfRest(host) : host);
}

// The upstream for a request to the registry $ecr_host: the registry itself, or the server `circuit`, which answers with
// the status in its path. Without a credential, ECR is not asked.
function ecr_upstream(r) {
    const host = r.variables.ecr_host;
    if (r.variables.ecr_authorization === '') {
        return 'http://circuit/403';
    }
    const opening = probes.openingOf(r);
    if (opening) {
        r.variables.circuit_opening = opening;
        return `https://${host}`;
    }
    const circuit = circuitOfRequest(r);
    const permit = breaker.tryAcquire(circuit);
    r.variables.circuit_opening = permit.opening;
    if (permit.allowed && replicas.answerFor(r)) {
        return upstreamOrReplica(r, circuit, permit);
    }
    return permit.allowed ? `https://${host}` : `http://circuit/${permit.status}`;
}

// Where a replica can answer, no client waits for a probe, nor for a path that the registry fails alone: a copy of its request does.
function upstreamOrReplica(r, circuit, permit) {
    const host = r.variables.ecr_host;
    const isProbe = permit.status !== undefined;
    if (!isProbe && !broken_requests.isShut(circuit, r.uri)) {
        return `https://${host}`;
    }
    if (isProbe || broken_requests.takeCopy(circuit, r.uri)) {
        const path = isProbe ? broken_requests.pathOfProbe(circuit, r.uri) : r.uri;
        probes.request(host, `/-/probe-of-ecr${path}`, r.method, permit.opening);
    }
    return `http://circuit/${permit.status || 503}`;
}

// Records the outcome of a request to ECR in the circuit breaker of $ecr_host.
//   mayImport  whether ECR may have had to import an image for it
function recordOutcome(r, mayImport) {
    if (!r.variables.ecr_upstream.startsWith('https:')) {
        return;
    }
    const circuit = circuitOfRequest(r);
    const opening = r.variables.circuit_opening;
    const found = outcome(r, mayImport);
    const seconds = Number(r.variables.upstream_http_retry_after);
    if (!replicas.answerFor(r)) {
        breaker.record(circuit, opening, found, seconds);
        return;
    }
    broken_requests.recordForPath(circuit, opening, found, r.uri, seconds);
    if (found === 'succeeded' && Math.max(statusOfEcr(r), r.status) < 400) {
        broken_requests.noteServed(circuit, r.uri);
    }
}

function outcome(r, mayImport) {
    // An address has a port. Without one ECR was not asked: the answer came from the cache, or the name has no address.
    if (!/:\d/.test(r.variables.upstream_addr || '')) {
        return 'unused';
    }
    const status = statusOfEcr(r);
    if (mayImport && isOfImport(r, status)) {
        return 'unused';
    }
    if (status === 429) {
        return 'throttled';
    }
    return status >= 500 ? 'failed' : 'succeeded';
}

// Of the last address that was tried: a status of ECR, or nginx's for an answer that did not come in time.
function statusOfEcr(r) {
    return Number(r.variables.upstream_status.split(/, | : /).pop());
}

// Whether ECR failed while it imported an image: the upstream may be what is slow, throttles or fails. Where ECR could not be
// reached, there is no time of a connection.
function isOfImport(r, status) {
    return (status === 429 || status >= 500) && /\d$/.test(r.variables.upstream_connect_time || '');
}

// The value of Retry-After for a client: the seconds until the registry is asked again, at least one.
function retry_after_seconds(r) {
    const circuit = r.variables.ecr_host ? circuitOfRequest(r) : circuitOf(r, r.variables.registry);
    return String(Math.max(1, breaker.secondsUntilHalfOpen(circuit)));
}

// The state of each circuit: of each registry, of each replica, and of what only a registry with a replica has.
function states(r) {
    const replicaOf = replicas.ofRegistries(r);
    const names = hosts(r).concat(Object.values(replicaOf), Object.keys(replicaOf).map(nameOfRest));
    return names.map(name => breaker.state(circuitOf(r, name)));
}

function hosts(r) {
    return r.variables.ecr_hosts.split(' ');
}

// What keeps each registry from being asked: { reason, since, isReplaced }, undefined where nothing does. After them, what keeps
// each from being asked for what its replica does not have.
//   since       in milliseconds, 0 when that is not known
//   isReplaced  whether its replica is asked instead
function failures(r) {
    const replicaOf = replicas.ofRegistries(r);
    const expiries = credential.expiries();
    const ofRest = Object.keys(replicaOf).map(host => failureOfCircuit(r, nameOfRest(host))).filter(Boolean);
    return hosts(r).map(host => {
        const found = failure(r, host, expiries);
        return found && { reason: found.reason, since: found.since, isReplaced: works(r, replicaOf[host], expiries) };
    }).concat(ofRest);
}

// How many registries have a circuit that is not closed: { replica, nothing }, by what is asked in their place. One counts once; a
// replica has not what its registry alone has.
function notAsked(r) {
    const replicaOf = replicas.ofRegistries(r);
    const expiries = credential.expiries();
    const isShut = name => breaker.state(circuitOf(r, name)) !== 'closed';
    const counts = { replica: 0, nothing: 0 };
    hosts(r).filter(host => isShut(host) || isShut(nameOfRest(host))).forEach(host => {
        const isReplaced = !isShut(nameOfRest(host)) && works(r, replicaOf[host], expiries);
        counts[isReplaced ? 'replica' : 'nothing'] += 1;
    });
    return counts;
}

// Whether there is a replica, and nothing keeps it from being asked.
function works(r, replica, expiries) {
    return replica !== undefined && !failure(r, replica, expiries);
}

function failure(r, host, expiries) {
    const expired = credential.expiry(host, Date.now(), expiries);
    if (expired) {
        return { reason: 'credential', since: expired.since };
    }
    return failureOfCircuit(r, host);
}

function failureOfCircuit(r, name) {
    const circuit = circuitOf(r, name);
    const since = breaker.openSince(circuit);
    return since && { reason: breaker.isThrottled(circuit) ? 'throttled' : 'unavailable', since };
}

export default { ecr_upstream, failures, notAsked, recordOutcome, retry_after_seconds, states };
