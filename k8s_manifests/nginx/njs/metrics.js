// Answers Prometheus: https://prometheus.io/docs/instrumenting/exposition_formats/. nginx counts requests itself; njs counts,
// in shared memory, only where it runs anyway. docs/decisions/0029-metrics-of-the-pods.md has the reasons.

import image_state from './image_state.js';

// More than the zone holds.
const ALL = 10_000;

async function metrics(r) {
    const status = await r.subrequest('/-/nginx', { method: 'GET' });
    const families = ofScrub(ngx.shared.scrub_counts).concat(
        ofImages(ngx.shared.images_missing, Number(r.variables.deleted_seconds) * 1000),
        ofNginx(status.responseText.match(/\d+/g))
    );
    r.headersOut['Content-Type'] = 'text/plain; version=0.0.4; charset=utf-8';
    r.return(200, families.join(''));
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

function ofImages(missing, served_ms) {
    const answers = { missing: 0, deleted: 0 };
    missing.items(ALL).forEach(item => {
        answers[image_state.state(item[1], Date.now(), served_ms)] += 1;
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

// One metric, with a value or, by their labels, several. A counter is there before it counts: from nothing to 1 Prometheus sees
// no increase.
function family(name, type, help, values) {
    const samples = typeof values === 'object' ? values : { '': values };
    const lines = Object.keys(samples).map(labels => `frontdoor_${name}${labels} ${samples[labels]}\n`);
    return `# HELP frontdoor_${name} ${help}\n# TYPE frontdoor_${name} ${type}\n${lines.join('')}`;
}

export default { metrics };
