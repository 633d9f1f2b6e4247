// The other njs modules, with objects in place of nginx's request and `ngx`.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { beforeEach, mock, test } from 'node:test';

import credential from '../../k8s_manifests/nginx/njs/credential.js';
import frontdoor from '../../k8s_manifests/nginx/njs/frontdoor.js';
import { Store } from './store.mjs';

const HOST = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';
// A shorter form of what the template gets from lambda_fn/contract/registries.py.
const LAYER_URLS = String.raw`^https://prod-([a-z0-9-]+)-starport-layer-bucket[.]s3[.](?:dualstack[.])?\1[.]amazonaws[.]com(?:[.]cn)?/`;
const BUCKET = 'https://prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com/';

beforeEach(() => {
    mock.restoreAll();
    globalThis.ngx = {
        ERR: 3, log: mock.fn(), prefix: '/var/cache/frontdoor/',
        shared: { circuit: new Store(Date.now), cache_disk: new Store(Date.now), counters: new Store(Date.now) },
    };
});

function request(variables = {}, headersOut = {}, status = 200) {
    return {
        error: mock.fn(), headersIn: {}, headersOut, return: mock.fn(), status, uri: '/',
        variables: {
            ecr_host: HOST, layer_urls: LAYER_URLS, ecr_authorization: 'Basic eA==', ecr_deadline_ms: '24000', pause_seconds: '5',
            ecr_upstream: `https://${HOST}`, circuit_opening: 'undefined', upstream_addr: '10.0.0.1:443', upstream_status: String(status), ...variables,
        },
    };
}

function secret(text) {
    mounted({ '.dockerconfigjson': text });
}

// The files of the secret; returns the names of those that were read.
function mounted(files) {
    const read = [];
    const look = path => {
        const name = path.split('/').pop();
        if (!(name in files)) {
            throw Object.assign(new Error(name), { code: 'ENOENT' });
        }
        return name;
    };
    mock.method(fs, 'accessSync', look);
    mock.method(fs, 'readFileSync', path => {
        const name = look(path);
        read.push(name);
        return files[name];
    });
    return read;
}

function logged(r) {
    return r.error.mock.calls.map(call => call.arguments[0]).join('\n');
}

test('the credential of the host is the Authorization', () => {
    secret(JSON.stringify({ auths: { [HOST]: { auth: 'QVdTOng=' } } }));
    assert.equal(frontdoor.authorization(request()), 'Basic QVdTOng=');
});

test('the credential comes from the file of the host, and the one of all hosts is not read', () => {
    const read = mounted({ [HOST]: 'QVdTOng=', '.dockerconfigjson': 'not read' });
    assert.equal(frontdoor.authorization(request()), 'Basic QVdTOng=');
    assert.deepEqual(read, [HOST]);
});

test('a file of the host that is not base64 is no credential, and the log does not quote it', () => {
    mounted({ [HOST]: 'SECRET\r\nX: y' });
    const r = request();
    assert.equal(frontdoor.authorization(r), '');
    assert.doesNotMatch(logged(r), /SECRET/);
});

const PAST = '2026-01-01T00:00:00Z';
const AUTHS = JSON.stringify({ auths: { [HOST]: { auth: 'QVdTOng=' } } });
for (const [what, files, since] of [
    ['with a file of the host that is valid', { [HOST]: 'QVdTOng=', expires_at_by_host: `{"${HOST}":"2999-01-01T00:00:00Z"}` }, undefined],
    ['with a file of the host that has expired', { [HOST]: 'QVdTOng=', expires_at_by_host: `{"${HOST}":"${PAST}"}` }, Date.parse(PAST)],
    ['that a secret with others lacks', { other: 'QVdTOng=', '.dockerconfigjson': AUTHS, expires_at_by_host: `{"other":"${PAST}"}` }, 0],
    ['of a secret of version 0.2', { '.dockerconfigjson': AUTHS, expires_at_by_host: `{"${HOST}":"${PAST}"}` }, Date.parse(PAST)],
    ['of a secret of version 0.1', { '.dockerconfigjson': AUTHS }, undefined],
    ['without a secret', {}, 0],
]) {
    test(`the expiry of a credential ${what}`, () => {
        mounted(files);
        const found = credential.expiry(HOST, Date.parse('2026-11-27T00:00:00Z'));
        assert.equal(found && found.since, since);
    });
}

test('the expiries of many hosts are read once, and the file of all hosts never', () => {
    const hosts = Array.from({ length: 80 }, (_, number) => `${number}.example`);
    const expiries = Object.fromEntries(hosts.map(host => [host, '2999-01-01T00:00:00Z']));
    const read = mounted({ ...Object.fromEntries(hosts.map(host => [host, 'QQ=='])), expires_at_by_host: JSON.stringify(expiries) });
    const r = request({ ecr_hosts: hosts.join(' ') });
    frontdoor.status(r);
    assert.deepEqual(read, ['expires_at_by_host']);
    assert.equal(JSON.parse(r.return.mock.calls[0].arguments[1]).state, 'serving');
});

for (const text of ['SECRET', '{}', '{"auths":{}}', JSON.stringify({ auths: { [HOST]: { auth: 'SECRET\r\nX: y' } } })]) {
    test(`no Authorization comes from ${text.slice(0, 20)}, and the log does not quote it`, () => {
        secret(text);
        const r = request();
        assert.equal(frontdoor.authorization(r), '');
        assert.match(logged(r), new RegExp(HOST));
        assert.doesNotMatch(logged(r), /SECRET/);
    });
}

test('without a credential ECR is not asked', () => {
    assert.equal(frontdoor.ecr_upstream(request({ ecr_authorization: '' })), 'http://circuit/403');
});

test('with a credential ECR is asked, until it throttles', () => {
    const r = request({ upstream_http_retry_after: '7' }, {}, 429);
    assert.equal(frontdoor.ecr_upstream(r), `https://${HOST}`);
    frontdoor.answer_of_ecr(r);
    assert.equal(frontdoor.ecr_upstream(request()), 'http://circuit/429');
    assert.equal(frontdoor.retry_after_seconds(request()), '7');
});

test('an answer from the cache is not an outcome of ECR', () => {
    for (let n = 0; n < 3; n++) {
        frontdoor.answer_of_ecr(request({ upstream_addr: '' }, {}, 502));
    }
    assert.equal(frontdoor.ecr_upstream(request()), `https://${HOST}`);
});

function afterImports(status, variables) {
    for (let n = 0; n < 3; n++) {
        const r = request({ upstream_connect_time: '0.003', ...variables }, {}, status);
        r.uri = `/-/import/${HOST}/v2/docker-hub/library/nginx/manifests/1`;
        assert.equal(frontdoor.ecr_upstream(r), `https://${HOST}`);
        frontdoor.answer_of_ecr(r);
    }
    return frontdoor.ecr_upstream(request());
}

for (const status of [429, 500, 503, 504]) {
    test(`imports that end in ${status} do not open the circuit`, () => {
        assert.equal(afterImports(status), `https://${HOST}`);
    });
}

for (const time of ['-', '0.001, -', undefined]) {
    test(`an ECR that cannot be reached opens it by imports, too (${time})`, () => {
        assert.equal(afterImports(504, { upstream_connect_time: time }), 'http://circuit/503');
    });
}

test('a request that ECR refuses as not valid is 400, unless it is an import', () => {
    for (const [uri, status] of [[`/${HOST}/v2/team/app/manifests/1`, 400], [`/-/import/${HOST}/v2/docker-hub/a/manifests/1`, 432]]) {
        const r = request({ upstream_status: '400 : 200' }, { 'Content-Type': 'application/json', Server: 'ECR' });
        r.uri = uri;
        frontdoor.answer_of_check(r);
        assert.equal(r.status, status);
    }
});

test('what ECR denies differs from a refused credential by a status of its own', () => {
    const r = request({ upstream_status: '403 : 200' }, { 'Content-Type': 'application/json', Server: 'ECR' });
    frontdoor.answer_of_check(r);
    assert.equal(r.status, 432);
    assert.deepEqual(r.headersOut, { 'Content-Type': 'application/json' });
});

for (const status of [403, 429, 503]) {
    test(`where ECR answers ${status} about the credential, nothing is known of the import`, () => {
        const r = request({}, { 'Retry-After': '1', Server: 'ECR' }, status);
        frontdoor.answer_of_check(r);
        assert.equal(r.status, status);
        assert.deepEqual(r.headersOut, { 'Retry-After': '1' });
    });
}

// ECR has refused an import of a half-open circuit's probe, and then answers about the credential.
for (const [status, upstream] of [[200, `https://${HOST}`], [503, 'http://circuit/503']]) {
    test(`a refused import after which ECR answers ${status} is the outcome of a probe`, () => {
        let now = 1_000_000;
        mock.method(Date, 'now', () => now);
        for (let n = 0; n < 3; n++) {
            frontdoor.ecr_upstream(request());
            frontdoor.answer_of_ecr(request({}, {}, 503));
        }
        now += 5000;
        const r = request({ upstream_status: `403 : ${status}`, upstream_connect_time: '0.003 : 0.001' }, {}, status);
        r.uri = `/-/import/${HOST}/v2/docker-hub/library/nginx/manifests/1`;
        assert.equal(frontdoor.ecr_upstream(r), `https://${HOST}`);
        frontdoor.answer_of_check(r);
        assert.equal(frontdoor.ecr_upstream(request()), upstream);
        now += 1;
        assert.equal(frontdoor.ecr_upstream(request()), upstream);
    });
}

test('a client waits at least a second', () => {
    assert.equal(frontdoor.retry_after_seconds(request()), '1');
});

test('only allowed headers of an upstream reach the client', () => {
    const r = request({}, { 'WWW-Authenticate': 'Basic', 'Set-Cookie': 'x', 'Content-Type': 'a/b', Server: 'ECR' });
    frontdoor.answer_of_ecr(r);
    assert.deepEqual(r.headersOut, { 'Content-Type': 'a/b' });
});

const TAGS = '/v2/a/tags/list';
const REFERRERS = `/v2/a/referrers/sha256:${'0'.repeat(64)}`;

function linkOf(path, link) {
    const r = request({ ecr_path: path }, { Link: link });
    frontdoor.answer_of_ecr(r);
    return r.headersOut.Link;
}

for (const [path, query] of [
    [TAGS, 'last=+/=='], [TAGS, 'n=10&last=b'], [REFERRERS, 'nextToken=+/++YQ=='],
    [REFERRERS, 'artifactType=application/x%2Bjson&nextToken=a'], [REFERRERS, 'n=50&a-parameter.of_ECR=b?c'],
]) {
    test(`the link to the next page at ${path.slice(0, 10)} keeps ${query} and loses the host`, () => {
        const link = `<${path}?${query}>; rel="next"`;
        assert.equal(linkOf(path, `<https://${HOST}${path}?${query}>; rel="next"`), link);
        assert.equal(linkOf(path, `<${path}?${query}>;rel=next`), link);
    });
}

for (const [path, link] of [
    [TAGS, `<https://${HOST}${TAGS}>; rel="next"`], [TAGS, `<${TAGS}?last=a>; rel="prev"`], [TAGS, 'last=a'],
    [TAGS, `<${TAGS}?nextToken=a>; rel="next"`], [TAGS, `<${TAGS}?last=a b>; rel="next"`],
    [REFERRERS, `<${REFERRERS}?nextToken=${'a'.repeat(7000)}>; rel="next"`],
    [REFERRERS, `<${REFERRERS}?ns=a&nextToken=b>; rel="next"`], [REFERRERS, `<${REFERRERS}?X-Amz-Date=1>; rel="next"`],
    ['/v2/a/manifests/b', '</v2/a/manifests/b?last=c>; rel="next"'],
]) {
    test(`a link that a client could not follow is not given: ${link.slice(0, 120)}`, () => {
        assert.equal(linkOf(path, link), undefined);
    });
}

for (const [query, page] of [
    ['', ''], [undefined, ''], ['ns=a', ''], ['ns=a&artifactType=b%2Bc', '?artifactType=b%2Bc'],
    ['artifactType=b&NS=a&nextToken=+/=', '?artifactType=b&nextToken=+/='], ['X-Amz-Date=1&%6Es=a&x-amz-=b', ''],
    ['nextToken="a"', 'invalid'], [`nextToken=${'a'.repeat(7000)}`, 'invalid'],
]) {
    test(`of the query ${String(query).slice(0, 40)} for referrers ECR gets ${page || 'nothing'}`, () => {
        assert.equal(frontdoor.referrers_page({ uri: REFERRERS, variables: { args: query } }), page);
    });
}

for (const location of [
    `${BUCKET}x`, BUCKET.replace('.s3.', '.s3.dualstack.'), BUCKET.replaceAll('eu-west-1', 'cn-north-1').replace('.com/', '.com.cn/'),
]) {
    test(`a redirect to ${location} is followed`, () => {
        const r = request({ upstream_http_location: location }, { Location: location });
        frontdoor.answer_of_ecr(r);
        assert.equal(r.headersOut.Location, location);
    });
}

for (const location of [
    'https://example.net/', BUCKET.replace('https', 'http'), BUCKET.replace('.s3.eu-west-1', '.s3.us-east-1'),
    BUCKET.replace('.com/', '.com.example.net/'), BUCKET.replace('https://', 'https://x@'),
]) {
    test(`a redirect to ${location} is removed, and logged without its query`, () => {
        const url = `${location}?X-Amz-Signature=SECRET`;
        const r = request({ upstream_http_location: url }, { Location: url });
        frontdoor.answer_of_ecr(r);
        assert.equal(r.headersOut.Location, undefined);
        assert.doesNotMatch(logged(r), /SECRET/);
    });
}

test('a redirect is followed to the hosts of a mirror alone', () => {
    for (const [location, urls, followed] of [
        ['https://cdn01.quay.io/x', '^https://(?:cdn0[a-z0-9-]*[.]quay[.]io)/', true],
        ['https://cdn01.quay.io.example.net/x', '^https://(?:cdn0[a-z0-9-]*[.]quay[.]io)/', false],
        ['https://cdn01.quay.io/x', '', false],
        [`${BUCKET}x`, '^https://(?:cdn0[a-z0-9-]*[.]quay[.]io)/', true],
    ]) {
        const r = request({ upstream_http_location: location, mirror_urls: urls }, { Location: location });
        frontdoor.answer_of_ecr(r);
        assert.equal(r.headersOut.Location, followed ? location : undefined);
    }
});

test('an answer of S3 never redirects', () => {
    const r = request({}, { Location: `${BUCKET}x`, 'x-amz-request-id': 'x', ETag: '"x"' });
    frontdoor.answer_of_s3(r);
    assert.deepEqual(r.headersOut, { ETag: '"x"' });
});

test('a disk that cannot be written turns caching off until it can', () => {
    mock.method(fs, 'unlinkSync', () => {});
    const write = mock.method(fs, 'writeFileSync', () => {
        throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    });
    assert.equal(frontdoor.cache_disk_failed(), '');
    frontdoor.probe_cache_disk();
    assert.equal(frontdoor.cache_disk_failed(), '1');
    write.mock.mockImplementation(() => {});
    frontdoor.probe_cache_disk();
    assert.equal(frontdoor.cache_disk_failed(), '');
});

test('another prefix than the cache turns caching off', () => {
    globalThis.ngx.prefix = '/run/frontdoor/';
    assert.equal(frontdoor.cache_disk_failed(), '1');
});

for (const [registries, buckets, status] of [
    [[200, 200], [], 200], [[200, 503], [], 503], [[200, 200], [403], 200], [[200, 200], [403, 404], 503],
    [[200, 200], [503], 503], [[503, 200], [403], 503], [[200, 403], [403], 503],
]) {
    test(`the startup probe is ${status} when registries answer ${registries} and layer buckets ${buckets}`, async () => {
        const answers = { registry: [...registries], layers: [...buckets] };
        const hosts = buckets.map((_, index) => `s${index}`).join(' ');
        const r = request({ ecr_hosts: 'a b', layer_hosts: hosts, layer_choices: hosts });
        r.subrequest = async path => ({ status: answers[path.split('/')[2]].shift() });
        await frontdoor.startup(r);
        assert.equal(r.return.mock.calls[0].arguments[0], status);
    });
}

// The slices that are fetched for a reader that misses slice 1 of a blob. `fetched` is called at each.
async function fetchedAfterMiss(reader, fetched = () => {}) {
    const digest = `sha256:${'a'.repeat(64)}`;
    ngx.shared.read_ahead.set(`${digest} bytes`, 100 << 20);
    const numbers = [];
    ngx.fetch = async (_url, { headers }) => {
        numbers.push(Math.floor(Number(headers.Range.split('-')[1]) / 1048576));
        await fetched(numbers);
        return { arrayBuffer: async () => null };
    };
    await frontdoor.read_ahead({
        uri: `/-/read-ahead/v2/team/app/blobs/${digest}`, return: mock.fn(), variables: { fetch_url: 'http://fetch' },
        headersIn: { Range: 'bytes=1048576-2097151', 'X-Request-Id': reader },
    });
    return numbers;
}

function readAheadZones(inFlight = () => 0) {
    for (const zone of ['read_ahead', 'read_ahead_windows', 'read_ahead_in_flight', 'read_ahead_left']) {
        ngx.shared[zone] = Object.assign(new Store(Date.now), { size: inFlight });
    }
}

test('a window does not begin for a reader that has left', async () => {
    readAheadZones();
    assert.equal(frontdoor.reader_left(request({ request_id: 'a', digest: 'sha256:aa' })), '');
    assert.deepEqual(await fetchedAfterMiss('a'), []);
    assert.deepEqual(await fetchedAfterMiss('b'), [4, 5, 6, 9]);
});

test('fetches that wait for their turn end when the reader leaves', async () => {
    readAheadZones(() => 48);
    setTimeout(() => frontdoor.reader_left(request({ request_id: 'a', digest: 'sha256:aa' })), 30);
    assert.deepEqual(await fetchedAfterMiss('a'), []);
});

test('a window goes on while another reader is further', async () => {
    readAheadZones();
    const numbers = await fetchedAfterMiss('a', async found => {
        if (found.length === 1) {
            const digest = `sha256:${'a'.repeat(64)}`;
            const window = JSON.parse(ngx.shared.read_ahead_windows.get(digest));
            ngx.shared.read_ahead_windows.set(digest, JSON.stringify({ ...window, reader: 'b' }));
            frontdoor.reader_left(request({ request_id: 'a', digest: 'sha256:aa' }));
        }
    });
    assert.deepEqual(numbers, [4, 5, 6, 9]);
});

for (const failed of [false, true]) {
    test(`a miss ${failed ? 'starts nothing while the cache cannot be written' : 'starts the first window'}`, async () => {
        const digest = `sha256:${'a'.repeat(64)}`;
        readAheadZones();
        ngx.shared.read_ahead.set(`${digest} bytes`, 100 << 20);
        ngx.fetch = mock.fn(async () => ({ arrayBuffer: async () => null }));
        if (failed) {
            ngx.shared.cache_disk.set('error', 'ENOSPC');
        }
        const blob = `/${HOST}/v2/team/app/blobs/${digest}`;
        await frontdoor.read_ahead({
            uri: `/-/read-ahead${blob}`, headersIn: { Range: 'bytes=1048576-2097151' }, return: mock.fn(),
            variables: { fetch_url: 'http://fetch' },
        });
        assert.ok(ngx.fetch.mock.calls.every(call => call.arguments[0] === `http://fetch${blob}`));
        const ranges = ngx.fetch.mock.calls.map(call => call.arguments[1].headers.Range);
        // The last bytes of slices 4 to 9 without 7 and 8, which are left to the reader.
        const expected = [4, 5, 6, 9].map(number => (number + 1) * 1048576 - 1).map(at => `bytes=${at}-${at}`);
        assert.deepEqual(ranges, failed ? [] : expected);
    });
}
