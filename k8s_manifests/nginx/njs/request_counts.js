// Counts requests when they have ended. nginx calls it in its log phase, for all but small cache hits of `front`
// (conf/logging.conf.j2): these follow from nginx's own count of all requests.
// docs/decisions/0040-what-the-metrics-count.md has the reasons.

// A request that waits for the cache lock looks at it again after this time.
const LOCK_STEP_SECONDS = 0.5;

// Above it, the time of a cache hit is that of its client.
const SMALL_BYTES = 1_000_000;

function add(name, delta) {
    ngx.shared.counters.incr(name, delta, 0);
}

// A turn of a periodic function is a request for nginx, which it does not log.
function countTurn() {
    add('internal periodic', 1);
}

function count_request(r) {
    const v = r.variables;
    const server = v.server_name;
    if (server === 'front' && !/^\/-\/(?:live|ready|startup)(?:\?|$)/.test(v.request_uri)) {
        countOfClient(r.uri, v);
        return '';
    }
    add(`internal ${server === 'front' ? 'probes' : server}`, 1);
    if (server === 'ecr') {
        const isImport = r.uri.startsWith('/-/import/');
        const action = ecrAction(r.method, v.ecr_path || '');
        add(`ecr ${isImport && action === 'tag' ? 'import' : action} ${ecrResult(v, isImport)}`, 1);
    } else if (server === 'layers') {
        countS3(v);
    } else if (server === 'pieces') {
        add('sent_bytes', Number(v.body_bytes_sent));
    } else if (server === 'fetch' && !r.uri.startsWith('/-/')) {
        add(`read_ahead ${readAheadResult(v)}`, 1);
    } else if (server === 'tags' && isRefusedTag(r.uri, v)) {
        add('refused_tags', 1);
    }
    if (server === 'answers' && v.as_replica) {
        add(`replica ${replicaResult(Number(v.status))}`, 1);
    }
    if (server === 'answers' || server === 'fetch' || server === 'tags') {
        countWait(v);
    }
    return '';
}

function countOfClient(uri, v) {
    const result = cacheResult(v);
    const bytes = Number(v.body_bytes_sent);
    if (result !== 'hit') {
        add(`requests ${result}`, 1);
    } else if (bytes < SMALL_BYTES && !v.tag_cache) {
        countWait(v);
    }
    if (v.status >= 400) {
        add(`errors ${errorStatus(uri, v)}`, 1);
    }
    // Pieces are counted one by one, while their pull runs.
    if (!v.comes_in_pieces) {
        add('sent_bytes', bytes);
    }
}

// The page has a limit of its own, which no setting of pulls changes. Pulls may end at `/-/` as well, and have a repository.
function errorStatus(uri, v) {
    if (isWithoutMemory(v)) {
        return 'no_memory';
    }
    const isCounted = /^(?:400|403|404|405|416|429|499|502|503|504)$/.test(v.status);
    return isCounted && !(v.status === '429' && uri.startsWith('/-/') && !v.repository) ? v.status : 'other';
}

// Whether a pull of a large blob has waited for memory in vain (conf/front_blobs.conf.j2). One client's own pulls are enough.
function isWithoutMemory(v) {
    return v.status === '503' && v.held_mib === '0' && last(v.upstream_status) === '503';
}

// Where the content of an answer to a client came from: 'hit', 'miss', 'stale', or 'none' for what is not cached.
function cacheResult(v) {
    const content = v.upstream_cache_status || '';
    const tag = v.tag_cache || '';
    if (content === 'STALE' || tag === 'STALE') {
        return 'stale';
    }
    if (content === '' && v.comes_in_pieces) {
        return /\/layers\.sock/.test(v.upstream_addr) ? 'miss' : 'hit';
    }
    if (content === '') {
        return 'none';
    }
    return content === 'HIT' && (tag === '' || tag === 'HIT') ? 'hit' : 'miss';
}

function countWait(v) {
    if (v.upstream_cache_status === 'HIT' && Number(v.request_time) >= LOCK_STEP_SECONDS) {
        add('coalesced_waits', 1);
    }
}

function ecrAction(method, path) {
    if (path === '/v2/') {
        return 'check';
    }
    const kind = /\/(manifests|blobs|tags|referrers)\/([^/]+)$/.exec(path) || [];
    if (kind[1] === 'manifests') {
        return kind[2].startsWith('sha256:') ? 'manifest' : 'tag';
    }
    if (kind[1] === 'blobs') {
        return method === 'HEAD' ? 'blob_size' : 'blob_location';
    }
    return kind[1] === 'tags' ? 'tag_list' : 'referrers';
}

// Whether ECR refused a request as not valid, by its statuses. A client may be the cause, with a tag or a query that ECR does not
// have. After a refusal this proxy asks for `/v2/` (conf/server_ecr.conf.j2), and that answer is about the credential alone.
function isInvalidRequest(statuses) {
    return /400 : (?:[^:]*, )?200$/.test(statuses);
}

// Whether ECR refuses a tag that it sent before, which this proxy serves. No client can make it refuse one. An error is stored
// as well, for a second, and nginx serves it stale later: it is no tag. An import is refused by the upstream of a mirror, too.
function isRefusedTag(uri, v) {
    const isStaleTag = v.upstream_cache_status === 'STALE' && v.status === '200';
    return isStaleTag && last(v.upstream_status) === '403' && !uri.startsWith('/-/import/');
}

// The variable $ecr_upstream is not read here: where nothing has, that would take the place of the circuit's probe.
function ecrResult(v, isImport) {
    const address = last(v.upstream_addr);
    const status = Number(last(v.upstream_status)) || 0;
    if (address === '') {
        return 'limited';
    }
    if (address.startsWith('unix:')) {
        return status === 403 ? 'no_credential' : 'circuit_open';
    }
    if (status === 404) {
        return 'missing';
    }
    if (status === 429) {
        return 'throttled';
    }
    if (/ : (?:[^:]*, )?200$/.test(v.upstream_status)) {
        return isImport || isInvalidRequest(v.upstream_status) ? 'invalid' : 'denied';
    }
    if (status === 400 || status === 401 || status === 403) {
        return 'refused';
    }
    return isClientError(status) ? 'invalid' : resultOfStatus(status);
}

function isClientError(status) {
    return status >= 400 && status < 500;
}

// Of what a replica answers instead of its registry.
function replicaResult(status) {
    if (status === 404) {
        return 'missing';
    }
    return status >= 200 && status < 400 ? 'ok' : 'failed';
}

function resultOfStatus(status) {
    if (status === 504) {
        return 'late';
    }
    return status >= 200 && status < 400 ? 'ok' : 'failed';
}

// A client chooses the range, and S3 has none of an empty layer.
function s3Result(status) {
    if (status === 416) {
        return 'ok';
    }
    return isClientError(status) ? 'refused' : resultOfStatus(status);
}

// One request to `layers` may be several to S3. An address has a port; the names of this nginx's own sockets have none.
function countS3(v) {
    const addresses = parts(v.upstream_addr);
    const statuses = parts(v.upstream_status);
    const lengths = parts(v.upstream_response_length);
    addresses.forEach((address, i) => {
        if (!address.startsWith('unix:') && /:\d+$/.test(address)) {
            add(`s3 ${s3Result(Number(statuses[i]) || 0)}`, 1);
            const bytes = Number(lengths[i]) || 0;
            add('s3_bytes', bytes);
            add('s3_replica_bytes', v.layer_of_replica === '1' ? bytes : 0);
        }
    });
}

// nginx separates the values of several upstreams by commas, and by colons after an internal redirect.
function parts(values) {
    return (values || '').split(/, | : /).filter(Boolean);
}

function last(values) {
    const all = parts(values);
    return all.length === 0 ? '' : all[all.length - 1];
}

function readAheadResult(v) {
    if (v.status !== '200' && v.status !== '206') {
        return 'failed';
    }
    return v.upstream_cache_status === 'HIT' ? 'cached' : 'fetched';
}

export default { countTurn, count_request, isInvalidRequest };
