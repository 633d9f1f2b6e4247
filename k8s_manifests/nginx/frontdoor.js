// What nginx's own directives cannot do: read the credential, and decide which headers of an answer go on.

import fs from 'fs';

const CREDENTIAL = '/etc/frontdoor/credential/.dockerconfigjson';

const CACHE = '/var/cache/frontdoor/';

// So many failures in a row, of all that is asked of one registry: one broken image does not take the others away.
const FAILURES = 3;

// What ECR throttles is a rate per second: https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html
const LONGEST_REST_SECONDS = 60;

// Everything else an upstream says about itself stays here: challenges, cookies, request ids, server names.
const KNOWN = [
    'accept-ranges', 'content-length', 'content-range', 'content-type', 'docker-content-digest', 'etag',
    'last-modified', 'link', 'location', 'oci-filters-applied', 'retry-after',
];

// The Authorization for the registry $ecr_host, from the mounted pull secret; '' when there is none to be had, with the
// reason in the error log. It is read for each request to ECR: that is how a refreshed token is used at once and without
// a reload, and such requests are few.
function authorization(r) {
    const host = r.variables.ecr_host;
    try {
        const auth = (JSON.parse(fs.readFileSync(CREDENTIAL, 'utf8')).auths || {})[host].auth;
        if (typeof auth === 'string' && /^[A-Za-z0-9+\/]+={0,2}$/.test(auth)) {
            return `Basic ${auth}`;
        }
        r.error(`${CREDENTIAL}: the entry of ${host} is not base64`);
    } catch (e) {
        // The message of a parser may quote what it read.
        r.error(`${CREDENTIAL} holds no credential for ${host}: ${e.code || e.name}`);
    }
    return '';
}

// Whom to ask what is meant for the registry $ecr_host: itself, or the server `circuit`, which answers in its stead with the
// status of its path. Without a credential ECR is not asked. When it throttles or keeps failing, it is left alone for a
// while; then one request asks whether it is back, and until it has its answer the others are not sent after it.
function ecr_upstream(r) {
    const host = r.variables.ecr_host;
    if (r.variables.ecr_authorization === '') {
        return 'http://circuit/403';
    }
    // Before its status, which `circuit` sets first: who reads between the two is no probe of the rest that begins.
    const until = ngx.shared.circuit.get(`${host} until`);
    const status = ngx.shared.circuit.get(`${host} status`);
    r.variables.last_opened = String(until);
    if (status === undefined
        || (Date.now() >= until && ngx.shared.circuit.add(`${host} probe`, 1, Number(r.variables.ecr_deadline_ms)))) {
        return `https://${host}`;
    }
    return `http://circuit/${status}`;
}

// Takes note of how an answer of $ecr_host turned out: throttled, failed (by its own status or by none in time), or well.
function record_outcome(r) {
    const host = r.variables.ecr_host;
    if (!r.variables.ecr_upstream.startsWith('https:')) {
        return;
    }
    // Since it was asked a rest has begun. That is over when its own probe has an answer, and not by older ones.
    if (String(ngx.shared.circuit.get(`${host} until`)) !== r.variables.last_opened) {
        return;
    }
    // Nobody was asked, if it is a redirect that was kept, or a name without an address: addresses have ports.
    if (!/:\d/.test(r.variables.upstream_addr || '')) {
        ngx.shared.circuit.delete(`${host} probe`);
        return;
    }
    if (r.status === 429) {
        rest(r, 429, Math.min(Number(r.variables.upstream_http_retry_after) || 1, LONGEST_REST_SECONDS));
    } else if (r.status >= 500) {
        if (ngx.shared.circuit.has(`${host} status`) || failures_in_a_row(r) >= FAILURES) {
            rest(r, 503, Number(r.variables.pause_seconds));
        }
    } else {
        ['status', 'failures', 'probe'].forEach(name => ngx.shared.circuit.delete(`${host} ${name}`));
    }
}

// Leaves $ecr_host alone. `until` outlives the rest, and says which one was the last.
function rest(r, status, seconds) {
    const host = r.variables.ecr_host;
    ngx.shared.circuit.set(`${host} status`, status, seconds * 1000 + forgotten_after_ms(r));
    ngx.shared.circuit.set(`${host} until`, Date.now() + seconds * 1000);
    ['failures', 'probe'].forEach(name => ngx.shared.circuit.delete(`${host} ${name}`));
}

function failures_in_a_row(r) {
    const key = `${r.variables.ecr_host} failures`;
    // `incr` alone would go on with a count whose time is over.
    ngx.shared.circuit.add(key, 0, forgotten_after_ms(r));
    return ngx.shared.circuit.incr(key, 1, 0, forgotten_after_ms(r));
}

// After this a failure is history, and so is a rest whose end nobody has asked at: a registry of which everything is kept
// is asked something now and then. Longer than one client needs for two failures, one after the other.
function forgotten_after_ms(r) {
    return 2 * Number(r.variables.ecr_deadline_ms);
}

function seconds_of_rest(host) {
    return Math.ceil(((ngx.shared.circuit.get(`${host} until`) || 0) - Date.now()) / 1000);
}

// The seconds after which it makes sense to ask a registry again that throttles.
function retry_after_seconds(r) {
    return String(Math.max(1, seconds_of_rest(r.variables.ecr_host || r.variables.registry)));
}

// Leaves the known headers of an answer of ECR, with its host name out of `Link`, and a `Location` only where it leads
// to ECR's own layer bucket: anything else would let a registry send this proxy wherever it likes.
function answer_of_ecr(r) {
    record_outcome(r);
    keep_known_headers(r);
    const headers = r.headersOut;
    if (headers.Link) {
        headers.Link = headers.Link.replace(/<https?:\/\/[^\/>]*/g, '<');
    }
    if (headers.Location && is_foreign_redirect(r)) {
        r.error(`refused to follow a blob to ${headers.Location.split('?')[0]}: it is no layer bucket of ECR`);
        delete headers.Location;
    }
}

// Whether an answer of ECR is a redirect to anywhere but its layer bucket: '1' or ''.
function is_foreign_redirect(r) {
    const location = r.variables.upstream_http_location;
    return location && !new RegExp(r.variables.layer_urls).test(location) ? '1' : '';
}

// Leaves the known headers of an answer of S3.
function answer_of_s3(r) {
    keep_known_headers(r);
    delete r.headersOut.Location;
}

function keep_known_headers(r) {
    for (const name in r.headersOut) {
        if (!KNOWN.includes(name.toLowerCase())) {
            delete r.headersOut[name];
        }
    }
}

// Whether the cache could not be written when nginx started, or when it was last tried: '1' or ''.
function cache_disk_failed() {
    return ngx.prefix !== CACHE || ngx.shared.cache_disk.has('error') ? '1' : '';
}

// Tries to write a slice where the cache lies. nginx itself notices only when it has begun to answer, and then cuts the
// answer off. The file is gone before a kernel would bring it to the disk.
function probe_cache_disk() {
    try {
        fs.writeFileSync(`${CACHE}probe`, 'x'.repeat(4 << 20));
        ngx.shared.cache_disk.delete('error');
    } catch (e) {
        ngx.log(ngx.ERR, `the cache cannot be written (${e.code}): what it lacks is served without being kept`);
        ngx.shared.cache_disk.set('error', e.code);
    }
    try {
        fs.unlinkSync(`${CACHE}probe`);
    } catch (e) {
        // It could not even be made.
    }
}

// 200 when every registry accepts the mounted credential. Which one does not is in the log: clients can ask this, too,
// and need not learn what is behind.
async function startup(r) {
    const hosts = r.variables.ecr_hosts.split(' ');
    const answers = await Promise.all(hosts.map(host => r.subrequest(`/-/registry/${host}`)));
    const ready = answers.filter(answer => answer.status === 200).length;
    r.return(ready === hosts.length ? 200 : 503, `${ready} of ${hosts.length} registries answer\n`);
}

export default {
    answer_of_ecr, answer_of_s3, authorization, cache_disk_failed, is_foreign_redirect, retry_after_seconds, startup, probe_cache_disk,
    ecr_upstream,
};
