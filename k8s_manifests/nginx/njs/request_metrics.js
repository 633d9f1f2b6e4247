// What njs/request_counts.js has counted, for Prometheus.

import prometheus_text from './prometheus_text.js';
import tag_hits from './tag_hits.js';

const family = prometheus_text.family;

function count(name) {
    return ngx.shared.counters.get(name) || 0;
}

// Counts by the values of one label, which are the last words of their names.
function counts(words, label, values) {
    return prometheus_text.byLabel(label, values, value => count(`${words} ${value}`));
}

// The metrics.
//   requests    that nginx has begun
//   unfinished  those of them that have not ended
function families(requests, unfinished) {
    const internal = counts('internal', 'server', [
        'answers', 'circuit', 'ecr', 'fetch', 'images', 'layers', 'metrics', 'periodic', 'pieces', 'probes', 'tags',
    ]);
    internal['{server="tags"}'] += tag_hits.count();
    const others = counts('requests', 'cache', ['miss', 'stale', 'none']);
    const hit = { '{cache="hit"}': hits(requests - unfinished - sum(internal) - sum(others)) };
    return [
        family('requests_total', 'counter', 'Requests of clients that have ended, by where the content came from.',
            Object.assign(hit, others)),
        family('internal_requests_total', 'counter', 'Those between the servers of this pod, probes, and turns of periodic functions.', internal),
        family('requests_in_progress', 'gauge', 'Requests that have not ended, also between the servers.', unfinished),
        family('error_answers_total', 'counter', 'Errors that clients got, by status; `no_memory`: a 503 for a large layer that has waited for memory; a 429 of the page is among `other`.', counts('errors', 'status', [
            '400', '403', '404', '405', '416', '429', '499', '502', '503', '504', 'no_memory', 'other',
        ])),
        family('sent_bytes_total', 'counter', 'Bytes to clients, without cache hits below 1 MB.', count('sent_bytes')),
        family('s3_bytes_total', 'counter', 'Bytes of layers from S3.', count('s3_bytes')),
        family('replica_s3_bytes_total', 'counter', 'Those of them that came from the region of a replica.', count('s3_replica_bytes')),
        family('s3_requests_total', 'counter', 'Requests to S3.',
            counts('s3', 'result', ['ok', 'refused', 'failed', 'late'])),
        family('ecr_requests_total', 'counter', 'Requests for ECR; the last three results are of those that were not sent.',
            ofEcr()),
        family('replica_requests_total', 'counter', 'Requests for which a replica was asked, since its registry failed.',
            counts('replica', 'result', ['ok', 'missing', 'failed'])),
        family('refused_tags_total', 'counter', 'Requests for a tag that ECR sent before and refuses now, so it is served stale.',
            count('refused_tags')),
        family('coalesced_waits_total', 'counter', 'Requests that waited half a second or longer for what another one fetched.',
            count('coalesced_waits')),
        family('read_ahead_slices_total', 'counter', 'Slices that read-ahead has asked for.',
            counts('read_ahead', 'result', ['fetched', 'cached', 'failed'])),
    ];
}

function ofEcr() {
    const samples = {};
    ['manifest', 'tag', 'import', 'blob_location', 'blob_size', 'tag_list', 'referrers', 'check'].forEach(action => {
        [
            'ok', 'missing', 'invalid', 'denied', 'refused', 'throttled', 'failed', 'late', 'limited', 'circuit_open', 'no_credential',
        ].forEach(result => {
            samples[`{action="${action}",result="${result}"}`] = count(`ecr ${action} ${result}`);
        });
    });
    return samples;
}

function sum(samples) {
    return Object.keys(samples).reduce((total, labels) => total + samples[labels], 0);
}

// Cache hits: what no other count has. A request ends a moment before it is counted, and is a hit in this moment. A counter that
// falls would be a restart for Prometheus, so this one never does.
function hits(found) {
    const most = Math.max(count('requests hit'), found);
    ngx.shared.counters.set('requests hit', most);
    return most;
}

export default { families };
