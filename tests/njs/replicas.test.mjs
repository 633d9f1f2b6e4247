// Failover to a replica: which upstream a request has, how the other one is probed, and when a pod may begin.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { beforeEach, mock, test } from 'node:test';

import frontdoor from '../../k8s_manifests/nginx/njs/frontdoor.js';
import { Store } from './store.mjs';

const HOST = '123456789012.dkr.ecr.ap-southeast-2.amazonaws.com';
const REPLICA = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';
const PATH = '/v2/team/app/manifests/1.4';
const BUCKET = 'prod-ap-southeast-2-starport-layer-bucket.s3.ap-southeast-2.amazonaws.com';
const BLOB = `/v2/team/app/blobs/sha256:${'a'.repeat(64)}`;

let now;

beforeEach(() => {
    mock.restoreAll();
    now = 1_000_000;
    mock.method(Date, 'now', () => now);
    const store = () => new Store(() => now);
    globalThis.ngx = {
        ERR: 3, WARN: 4, log: mock.fn(),
        shared: { circuit: store(), counters: store(), circuit_probes: store(), circuit_requests: store(), read_ahead: store(), images_missing: store() },
    };
});

function request(variables = {}, headersIn = {}) {
    return {
        error: mock.fn(), headersIn, headersOut: {}, method: 'GET', return: mock.fn(), status: 200, uri: `/${HOST}${variables.ecr_path || PATH}`,
        variables: {
            ecr_host: HOST, ecr_path: PATH, replica: REPLICA, replica_of_request: REPLICA, ecr_authorization: 'Basic eA==', ecr_deadline_ms: '24000',
            pause_seconds: '5', s3_deadline_ms: '39000', ...variables,
        },
    };
}

// Sends a request to the upstream that ECR is; `status` is what comes back.
function ask(status, headersIn = {}, path = PATH) {
    const r = request({ args: `last=${'a'.repeat(7000)}` }, headersIn);
    r.uri = `/${HOST}${path}`;
    r.variables.request_uri = `${r.uri}?${r.variables.args}`;
    r.variables.ecr_upstream = frontdoor.ecr_upstream(r);
    if (r.variables.ecr_upstream.startsWith('https:')) {
        Object.assign(r.variables, { upstream_addr: '192.0.2.1:443', upstream_status: status });
        frontdoor.answer_of_ecr(r);
    }
    return r.variables.ecr_upstream;
}

function probes() {
    return ngx.shared.circuit_probes.items(9).map(item => JSON.parse(item[1]));
}

test('with a replica the first failure shuts ECR, and no client is the probe', () => {
    assert.equal(ask('504'), `https://${HOST}`);
    assert.equal(ask('200'), 'http://circuit/503');
    assert.deepEqual(probes(), []);
    now += 5000;
    assert.equal(ask('200'), 'http://circuit/503');
    assert.equal(ask('200'), 'http://circuit/503');
    const [probe, ...others] = probes();
    assert.deepEqual([probe.path, probe.method, others], [`/-/probe-of-ecr/${HOST}${PATH}`, 'GET', []]);
    assert.equal(ask('200', { 'X-Probe': probe.opening }), `https://${HOST}`);
    assert.equal(ask('200'), `https://${HOST}`);
});

test('a probe that fails shuts ECR again', () => {
    ask('503');
    now += 5000;
    ask('200');
    ask('502', { 'X-Probe': probes()[0].opening });
    now += 4999;
    ngx.shared.circuit_probes.delete(HOST);
    assert.equal(ask('200'), 'http://circuit/503');
    assert.deepEqual(probes(), []);
});

// The zone has 60 kB for 40 upstreams.
test('what is noted for a probe is short, however long the request is', () => {
    const path = `/v2/${'a'.repeat(256)}/manifests/${'b'.repeat(128)}`;
    ask('503');
    now += 5000;
    ask('200', {}, path);
    const [[, note]] = ngx.shared.circuit_probes.items(1);
    assert.ok(note.includes(path));
    assert.ok(note.length <= 600, `${note.length} characters`);
});

async function sendProbes(answer = () => {}) {
    ngx.fetch = mock.fn(async (_url, { headers }) => {
        answer(headers['X-Probe']);
        return { arrayBuffer: async () => null };
    });
    await frontdoor.send_probes(request({ fetch_url: 'http://fetch' }));
}

test('after a probe that says nothing of ECR the next request is one', async () => {
    ask('503');
    now += 5000;
    for (let number = 0; number < 3; number++) {
        ask('200');
        ask('200');
        assert.equal(probes().length, 1);
        await sendProbes();
    }
});

test('after a probe that was not sent the next request is one', async () => {
    ask('503');
    now += 5000;
    ask('200');
    await sendProbes(() => {
        throw new Error('no connection');
    });
    ask('200');
    assert.equal(probes().length, 1);
});

for (const [status, upstream] of [['200', `https://${HOST}`], ['503', 'http://circuit/503']]) {
    test(`the outcome of a probe that ends in ${status} holds`, async () => {
        ask('503');
        now += 5000;
        ask('200');
        await sendProbes(opening => ask(status, { 'X-Probe': opening }));
        assert.equal(ask('200'), upstream);
        assert.deepEqual(probes(), []);
    });
}

test('what ECR throttles shuts it for as long as it asks for', () => {
    const r = request({ upstream_addr: '192.0.2.1:443', upstream_status: '429', upstream_http_retry_after: '7' });
    r.variables.ecr_upstream = frontdoor.ecr_upstream(r);
    r.status = 530;
    frontdoor.answer_of_ecr(r);
    assert.equal(ask('200'), 'http://circuit/429');
    now += 6999;
    assert.equal(ask('200'), 'http://circuit/429');
    assert.deepEqual(probes(), []);
});

for (const [expiry, authorization] of [[999, ''], [1001, 'Basic QQ=='], [undefined, 'Basic QQ==']]) {
    test(`the credential of a registry with a replica is ${authorization ? '' : 'not '}used when it ends at ${expiry} s`, () => {
        const at = expiry && JSON.stringify({ [HOST]: new Date(expiry * 1000).toISOString() });
        mock.method(fs, 'accessSync', () => undefined);
        mock.method(fs, 'readFileSync', file => file.endsWith(`/${HOST}`) ? 'QQ==' : at || '{}');
        assert.equal(frontdoor.authorization(request()), authorization);
    });
}

// A slice that is read by the redirect of ECR, up to S3's answer with a status; where it goes then.
function readSlice(status, { headersIn = {}, addr = '192.0.2.9:443', ...variables } = {}) {
    const r = request({ layer_url: `https://${BUCKET}/a/b?X-Amz-Signature=c`, ecr_path: BLOB, ...variables }, headersIn);
    if (!frontdoor.s3_is_shut(r)) {
        Object.assign(r.variables, { upstream_addr: `unix:/run/frontdoor/answers.sock : ${addr}`, upstream_status: `307 : ${status}` });
        r.status = status;
        if (status < 300) {
            frontdoor.answer_of_s3(r);
            return BUCKET;
        }
    } else {
        Object.assign(r.variables, { upstream_addr: 'unix:/run/frontdoor/answers.sock', upstream_status: '307' });
    }
    return frontdoor.other_region(r);
}

const ELSEWHERE = `/-/replica/${REPLICA}${BLOB}`;

for (const status of [500, 503, 504]) {
    test(`after S3's ${status} slices come from the replica's bucket, until a probe has an answer`, () => {
        assert.equal(readSlice(status), ELSEWHERE);
        assert.equal(readSlice(206), ELSEWHERE);
        now += 5000;
        assert.equal(readSlice(206), ELSEWHERE);
        const [probe, ...others] = probes();
        assert.deepEqual([probe.path, probe.method, others], [`/-/probe-of-s3/${HOST}${BLOB}`, 'GET', []]);
        assert.equal(readSlice(206, { headersIn: { 'X-Probe': probe.opening } }), BUCKET);
        assert.equal(readSlice(206), BUCKET);
    });
}

for (const [status, addr] of [[403, '192.0.2.9:443'], [404, '192.0.2.9:443'], [502, BUCKET]]) {
    test(`${status} of ${addr} is followed by the replica, and does not shut the bucket`, () => {
        assert.equal(readSlice(status, { addr }), ELSEWHERE);
        assert.equal(readSlice(206), BUCKET);
    });
}

test('an answer that S3 cuts off shuts the bucket', () => {
    const r = request({ layer_url: `https://${BUCKET}/a/b`, ecr_path: BLOB });
    assert.equal(frontdoor.s3_is_shut(r), '');
    frontdoor.answer_of_s3(r);
    assert.equal(frontdoor.note_cut_layer(r), '');
    assert.equal(readSlice(206), ELSEWHERE);
});

for (const variables of [{ replica_of_request: '' }, { mirror_urls: '^https://cdn[.]example[.]net/' }, { layer_of_replica: '1' }]) {
    test(`a bucket without another one has no circuit: ${JSON.stringify(variables)}`, () => {
        assert.equal(readSlice(504, variables), 'late');
        assert.equal(readSlice(503, variables), '');
        assert.equal(readSlice(206, variables), BUCKET);
    });
}

test('a probe of S3 does not go on to the replica', () => {
    readSlice(503);
    now += 5000;
    readSlice(206);
    assert.equal(readSlice(503, { headersIn: { 'X-Probe': probes()[0].opening } }), '');
    assert.equal(readSlice(206), ELSEWHERE);
});

test('probes are sent once, after the answer', async () => {
    ngx.shared.circuit_probes.set(HOST, JSON.stringify({ path: '/-/probe-of-ecr/a', method: 'HEAD', opening: '7' }));
    ngx.fetch = mock.fn(async () => ({ arrayBuffer: async () => null }));
    const r = request({ fetch_url: 'http://fetch' });
    await frontdoor.start_probes(r);
    await frontdoor.send_probes(r);
    await frontdoor.start_probes(r);
    assert.deepEqual(r.return.mock.calls[0].arguments, [204]);
    assert.deepEqual(ngx.fetch.mock.calls.map(call => call.arguments), [
        ['http://fetch/-/probes'],
        ['http://fetch/-/probe-of-ecr/a', { method: 'HEAD', headers: { 'X-Probe': '7' } }],
    ]);
});

const NEVER = new Promise(() => {});

// The third bucket is that of a registry without a replica, where there is one.
for (const [registry, replica, buckets, status] of [
    [200, 503, [403, 503], 200], [503, 200, [503, 403], 200], [NEVER, 200, [NEVER, 403], 200], [503, 503, [403, 403], 503],
    [200, 200, [503, 503], 503], [200, 200, [503, 403, 403], 200], [200, 200, [503, 503, 403], 503], [200, 200, [403, 403, 503], 503],
]) {
    test(`the startup probe is ${status} when registry, replica and buckets answer ${[registry, replica, buckets]}`, async () => {
        const answers = { [HOST]: registry, [REPLICA]: replica, s0: buckets[0], s1: buckets[1], s2: buckets[2] };
        const hosts = buckets.map((_, number) => `s${number}`);
        const r = request({
            ecr_hosts: HOST, replicas: `${HOST} ${REPLICA}`, layer_hosts: hosts.join(' '),
            layer_choices: ['s0|s1', ...hosts.slice(2)].join(' '),
        });
        r.subrequest = async path => ({ status: await answers[path.split('/')[3]] });
        await frontdoor.startup(r);
        assert.equal(r.return.mock.calls[0].arguments[0], status);
    });
}
