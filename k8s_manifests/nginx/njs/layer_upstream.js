// Puts a circuit breaker between nginx and the layer bucket of each region whose registries have a replica: while the bucket
// fails, slices come from the replica's. docs/decisions/0045-failover-to-a-replica.md has the reasons.

import breaker from './circuit_breaker.js';
import probes from './probes.js';
import replicas from './replicas.js';

function circuitOfBucket(r, bucket) {
    return {
        name: bucket || r.variables.layer_url.split('/')[2],
        store: ngx.shared.circuit,
        now: Date.now,
        deadlineMs: Number(r.variables.s3_deadline_ms),
        pauseSeconds: Number(r.variables.pause_seconds),
        failuresToOpen: 1,
    };
}

// Whether another bucket has the layer: that of the registry's replica, which has none of a mirror's.
function hasOther(r) {
    return replicas.answerFor(r) && r.variables.layer_of_replica !== '1';
}

// '1' when the bucket of $layer_url is not to be asked. No client waits for a probe: it is a copy of its request, for one byte.
function s3_is_shut(r) {
    if (!hasOther(r)) {
        return '';
    }
    const opening = probes.openingOf(r);
    if (opening) {
        r.variables.s3_opening = opening;
        return '';
    }
    const circuit = circuitOfBucket(r);
    const permit = breaker.tryAcquire(circuit);
    r.variables.s3_opening = permit.opening;
    if (permit.allowed && permit.status !== undefined) {
        probes.request(circuit.name, `/-/probe-of-s3${r.uri}`, 'GET', permit.opening);
        return '1';
    }
    return permit.allowed ? '' : '1';
}

// The path at which the replica redirects to its own bucket, when S3 has failed; '' where there is none, and then 'late' when S3
// gave no answer in time.
function other_region(r) {
    const status = statusOfS3(r);
    const others = hasOther(r);
    if (others && status >= 500) {
        breaker.record(circuitOfBucket(r), r.variables.s3_opening, 'failed');
    }
    if (!others || probes.openingOf(r)) {
        return status === 504 ? 'late' : '';
    }
    return `/-/replica/${r.variables.replica}${r.variables.ecr_path}`;
}

// Called for every answer of S3 that begins.
function recordAnswer(r) {
    if (r.variables.s3_opening && hasOther(r) && (r.status === 200 || r.status === 206)) {
        breaker.record(circuitOfBucket(r), r.variables.s3_opening, 'succeeded');
    }
}

// Called when nginx logs a request whose answer did not end.
function note_cut_layer(r) {
    if (r.variables.s3_opening && hasOther(r)) {
        breaker.record(circuitOfBucket(r), r.variables.s3_opening, 'failed');
    }
    return '';
}

// How many buckets are not asked.
function shutBuckets(r) {
    return r.variables.layer_hosts.split(' ').filter(Boolean).filter(bucket => breaker.state(circuitOfBucket(r, bucket)) !== 'closed').length;
}

// The last status, of S3 or, where S3 did not answer, of nginx. Undefined when the last one was not asked: it is a name without
// an address, or another server of this nginx.
function statusOfS3(r) {
    const address = (r.variables.upstream_addr || '').split(/, | : /).pop();
    return /^(?!unix:).*:\d+$/.test(address) ? Number(r.variables.upstream_status.split(/, | : /).pop()) : undefined;
}

export default { note_cut_layer, other_region, recordAnswer, s3_is_shut, shutBuckets };
