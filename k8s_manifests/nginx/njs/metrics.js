// Answers Prometheus. nginx counts requests itself; njs counts, in shared memory, all but cache hits.
// docs/decisions/0029-metrics-of-the-pods.md has the reasons.

import cache_disk from './cache_disk.js';
import ecr_upstream from './ecr_upstream.js';
import image_state from './image_state.js';
import layer_upstream from './layer_upstream.js';
import pod_state from './pod_state.js';
import prometheus_text from './prometheus_text.js';
import request_metrics from './request_metrics.js';

const family = prometheus_text.family;

// More than the zone holds.
const ALL = 10_000;

async function metrics(r) {
    const status = await r.subrequest('/-/nginx', { method: 'GET' });
    const numbers = status.responseText.match(/\d+/g).map(Number);
    const families = request_metrics.families(numbers[3], numbers[4] + numbers[5]).concat(
        ofUpstreams(r),
        ofCache(r),
        ofScrub(ngx.shared.scrub_counts),
        ofImages(ngx.shared.images_missing, Number(r.variables.deleted_seconds) * 1000),
        ofHints(ngx.shared.counters),
        ofNginx(numbers),
        pod_state.families(r)
    );
    r.headersOut['Content-Type'] = 'text/plain; version=0.0.4; charset=utf-8';
    r.return(200, families.join(''));
}

function ofUpstreams(r) {
    const states = ecr_upstream.states(r);
    const notAsked = ecr_upstream.notAsked(r);
    return [
        family('circuits', 'gauge', 'Circuit breakers, by state.', prometheus_text.byLabel(
            'state', ['closed', 'open', 'half-open'], state => states.filter(found => found === state).length
        )),
        family('registries_not_asked', 'gauge', 'Registries with a circuit that is not closed, by what is asked in their place.',
            prometheus_text.byLabel('instead', ['replica', 'nothing'], instead => notAsked[instead])),
        family('replicas_serving', 'gauge', 'Registries, and layer buckets, in whose place a replica is asked.', {
            '{of="ecr"}': ecr_upstream.failures(r).filter(failure => failure && failure.isReplaced).length,
            '{of="s3"}': layer_upstream.shutBuckets(r),
        }),
        family('large_pulls_waiting', 'gauge', 'Pulls of large blobs that wait for memory.',
            ngx.shared.large_pulls_waiting.size()),
    ];
}

function ofCache(r) {
    return [
        family('cache_limit_bytes', 'gauge', 'The size from which on nginx evicts slices.', r.variables.cache_limit_gib * 1024 ** 3),
        family('cache_writable', 'gauge', '0 while the disk of the cache is full or read-only.',
            cache_disk.cache_disk_failed() ? 0 : 1),
        family('evicted_slices_total', 'counter', 'Cached slices that were removed: the cache is full, or they were not used.',
            ngx.shared.scrub_counts.get('evicted') || 0),
    ];
}

function ofScrub(counts) {
    const count = name => counts.get(name) || 0;
    return [
        family('damaged_files_total', 'counter', 'Damaged files that were removed from the cache.', {
            '{damage="size"}': count('damaged_size'),
            '{damage="header"}': count('damaged_header'),
            '{damage="content"}': count('damaged_content'),
            '{damage="unreadable"}': count('damaged_unreadable'),
        }),
        family('scrub_passes_total', 'counter', 'Passes over the sizes of all cached files.', count('passes')),
        family('scrub_rounds_total', 'counter', 'Rounds in which the scrub has read the whole cache.', count('rounds')),
        family('scrub_last_round_seconds', 'gauge', 'How long the last round took; 0 before.', count('round_seconds')),
        family('scrub_blobs_total', 'counter', 'Whole blobs that were intact by their digests.', count('blobs')),
        family('scrub_read_bytes_total', 'counter', 'Cached content that the scrub has read.', count('read_bytes')),
        family('cached_bytes', 'gauge', 'The size of all cached files, on disk.', count('bytes')),
    ];
}

function ofImages(missing, servedMs) {
    const answers = { missing: 0, deleted: 0 };
    missing.items(ALL).forEach(item => {
        answers[image_state.state(item[1], Date.now(), servedMs)] += 1;
    });
    return [
        family('missing_images', 'gauge', 'Requested images that ECR lacks, by the answer to pulls by digest.', {
            '{answer="served"}': answers.missing,
            '{answer="refused"}': answers.deleted,
        }),
        family('missing_images_found_total', 'counter', 'How often ECR was found to lack a requested image.',
            ngx.shared.counters.get('missing_images_found') || 0),
    ];
}

function ofHints(counters) {
    return [
        family('gone_images', 'gauge', 'Images that the hints refuse: deleted in ECR, or named by an operator.',
            ngx.shared.gone_images.size()),
        family('gone_files_total', 'counter', 'Cached files of such images that were removed.', counters.get('gone_files') || 0),
        family('hints_ignored_lines_total', 'counter', 'Lines of the hints that were not valid, at each reading.',
            counters.get('hints_ignored') || 0),
        family('hints_readable', 'gauge', '0 while the hints cannot be read, so that those of the last reading hold.',
            counters.get('hints_unreadable') ? 0 : 1),
    ];
}

// The numbers of `stub_status`, in their order: https://nginx.org/en/docs/http/ngx_http_stub_status_module.html
function ofNginx(numbers) {
    return [
        family('nginx_connections', 'gauge', 'Open connections, also between the servers of this pod.', {
            '{state="reading"}': numbers[4],
            '{state="writing"}': numbers[5],
            '{state="waiting"}': numbers[6],
        }),
        family('nginx_connections_accepted_total', 'counter', 'Connections, also between the servers.', numbers[1]),
        family('nginx_connections_handled_total', 'counter', 'Those of them for which nginx had a place.', numbers[2]),
        family('nginx_requests_total', 'counter', 'Requests, also between the servers of this pod.', numbers[3]),
    ];
}

export default { metrics };
