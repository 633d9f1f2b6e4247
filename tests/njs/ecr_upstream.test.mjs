// The two circuits of a registry with a replica: of what the replica answers meanwhile, and of what the registry alone has.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { beforeEach, mock, test } from 'node:test';

import ecr_upstream from '../../k8s_manifests/nginx/njs/ecr_upstream.js';
import { Store } from './store.mjs';

const HOST = '123456789012.dkr.ecr.ap-southeast-2.amazonaws.com';
const REPLICA = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';
const OTHER = '210987654321.dkr.ecr.ap-southeast-2.amazonaws.com';
const SHUT = 'http://circuit/503';

// What no replica answers.
const ALONE = {
    mirror: { path: '/v2/docker-hub/library/nginx/manifests/1', replica_of_request: REPLICA, mirror_urls: '^https://cdn[.]example[.]net/' },
    tag: { path: '/v2/team/app/manifests/1.4', replica_of_request: '' },
};

let now;

beforeEach(() => {
    mock.restoreAll();
    now = 1_000_000;
    mock.method(Date, 'now', () => now);
    mock.method(fs, 'accessSync', () => undefined);
    mock.method(fs, 'readFileSync', file => file.endsWith('by_host') ? '{}' : 'QQ==');
    const store = () => new Store(() => now);
    globalThis.ngx = { ERR: 3, WARN: 4, log: mock.fn(), shared: { circuit: store(), circuit_probes: store(), circuit_requests: store() } };
});

function request({ path = '/v2/team/app/manifests/sha256:a', ...variables } = {}, headersIn = {}) {
    return {
        error: mock.fn(), headersIn, headersOut: {}, method: 'GET', status: 200, uri: `/${HOST}${path}`,
        variables: {
            ecr_host: HOST, ecr_path: path, replica: REPLICA, replica_of_request: REPLICA, ecr_authorization: 'Basic eA==',
            ecr_deadline_ms: '24000', pause_seconds: '5', request_uri: `/${HOST}${path}`, ...variables,
        },
    };
}

// The upstream of a request, which answers with this status if it is ECR.
function ask(status, variables, headersIn) {
    const r = request(variables, headersIn);
    r.variables.ecr_upstream = ecr_upstream.ecr_upstream(r);
    if (r.variables.ecr_upstream.startsWith('https:')) {
        Object.assign(r.variables, { upstream_addr: '192.0.2.1:443', upstream_status: String(status), upstream_connect_time: '' });
        ecr_upstream.recordOutcome(r, Boolean(r.variables.mirror_urls));
    }
    return r.variables.ecr_upstream;
}

// What the pod says of its registry, in which no client waits.
function pod() {
    return request({ ecr_host: '', replica: '', replica_of_request: '', ecr_hosts: HOST, replicas: `${HOST} ${REPLICA}` });
}

for (const [name, alone] of Object.entries(ALONE)) {
    test(`a failure of what the replica answers does not shut ECR for a ${name}`, () => {
        ask(500);
        assert.equal(ask(500), SHUT);
        assert.equal(ask(200, alone), `https://${HOST}`);
        assert.equal(ask(500), SHUT);
    });

    test(`three failures of a ${name} in a row shut ECR for it, and for nothing that the replica answers`, () => {
        ask(500, alone);
        ask(500, alone);
        ask(200, alone);
        [1, 2, 3].forEach(() => assert.equal(ask(500, alone), `https://${HOST}`));
        assert.equal(ask(200, alone), SHUT);
        assert.equal(ask(200), `https://${HOST}`);
    });

    test(`a ${name} is itself the probe, since no replica answers it`, () => {
        [1, 2, 3].forEach(() => ask(503, alone));
        now += 5000;
        assert.equal(ask(200, alone), `https://${HOST}`);
        assert.equal(ask(200, alone), `https://${HOST}`);
        assert.deepEqual(ngx.shared.circuit_probes.items(9), []);
    });

    test(`while ECR is shut for a ${name} alone, a part of what is not cached cannot be pulled`, () => {
        [1, 2, 3].forEach(() => ask(503, alone));
        assert.deepEqual(ecr_upstream.failures(pod()), [undefined, { reason: 'unavailable', since: now }]);
        assert.deepEqual(ecr_upstream.states(pod()), ['closed', 'closed', 'open']);
        assert.deepEqual(ecr_upstream.notAsked(pod()), { replica: 0, nothing: 1 });
        assert.equal(ecr_upstream.retry_after_seconds(request(alone)), '5');
        assert.equal(ecr_upstream.retry_after_seconds(request()), '1');
    });
}

test('a registry without a replica has one circuit for everything', () => {
    const only = { replica: '', replica_of_request: '' };
    ask(500, { ...ALONE.mirror, ...only });
    ask(500, { ...ALONE.tag, ...only });
    assert.equal(ask(500, only), `https://${HOST}`);
    assert.equal(ask(200, { ...ALONE.mirror, ...only }), SHUT);
});

test('a registry that its replica replaces is no part that cannot be pulled', () => {
    ask(504);
    assert.deepEqual(ecr_upstream.failures(pod()), [{ reason: 'unavailable', since: now, isReplaced: true }]);
    assert.deepEqual(ecr_upstream.states(pod()), ['open', 'closed', 'closed']);
    assert.deepEqual(ecr_upstream.notAsked(pod()), { replica: 1, nothing: 0 });
});

test('a registry that is not asked counts once, and has no replica for what that lacks', () => {
    assert.deepEqual(ecr_upstream.notAsked(pod()), { replica: 0, nothing: 0 });
    ask(500);
    [1, 2, 3].forEach(() => ask(503, ALONE.mirror));
    assert.deepEqual(ecr_upstream.states(pod()), ['open', 'closed', 'open']);
    assert.deepEqual(ecr_upstream.notAsked(pod()), { replica: 0, nothing: 1 });
});

test('a replica that has failed, too, is not asked in the place of its registry', () => {
    ask(500);
    [1, 2, 3].forEach(() => ask(500, { ecr_host: REPLICA, replica: '', replica_of_request: '' }));
    assert.deepEqual(ecr_upstream.states(pod()), ['open', 'open', 'closed']);
    assert.deepEqual(ecr_upstream.notAsked(pod()), { replica: 0, nothing: 1 });
});

test('a replica in the place of an expired credential hides no registry that is not asked', () => {
    mock.method(fs, 'readFileSync', file => file.endsWith('by_host') ? `{"${HOST}":"1970-01-01T00:00:01Z","${OTHER}":"2970-01-01T00:00:00Z"}` : 'QQ==');
    const two = pod();
    two.variables.ecr_hosts = `${HOST} ${OTHER}`;
    assert.deepEqual(ecr_upstream.notAsked(two), { replica: 0, nothing: 0 });
    [1, 2, 3].forEach(() => ask(500, { ecr_host: OTHER, replica: '', replica_of_request: '' }));
    assert.deepEqual(ecr_upstream.failures(two).map(failure => failure.isReplaced), [true, false]);
    assert.deepEqual(ecr_upstream.notAsked(two), { replica: 0, nothing: 1 });
});

test('one request that ECR fails does not keep a registry at its replica', () => {
    const [broken, good] = ['b', 'c'].map(digit => ({ path: `/v2/team/app/manifests/sha256:${digit.repeat(64)}` }));
    ask(200, good);
    let served = 0;
    for (let second = 0; second < 50; second += 1) {
        now += 1000;
        ask(500, broken);
        sendProbes(path => path === `/${HOST}${good.path}` ? 200 : 500);
        served += ask(200) === `https://${HOST}` ? 1 : 0;
    }
    assert.ok(served >= 44, `${served} of 50 reached the registry itself`);
});

// ECR is late for a path twice, and answers another one in between.
function failAlone(late) {
    ask(200, { path: `/v2/team/app/manifests/sha256:${'c'.repeat(64)}` });
    ask(504, late);
    now += 5000;
    ask(200, late);
    sendProbes(path => path.endsWith(late.path) ? 504 : 200);
    assert.equal(ask(504, late), `https://${HOST}`);
    assert.deepEqual(ecr_upstream.states(pod()), ['closed', 'closed', 'closed']);
}

test('no third client waits for a path that ECR alone answers late', () => {
    const late = { path: `/v2/team/app/blobs/sha256:${'b'.repeat(64)}` };
    failAlone(late);
    for (let second = 0; second < 59; second += 1) {
        assert.equal(ask(504, late), SHUT);
        assert.equal(ask(200), `https://${HOST}`);
        assert.deepEqual(probed(), second % 5 === 0 ? [`/-/probe-of-ecr/${HOST}${late.path}`] : []);
        sendProbes(() => 504);
        now += 1000;
    }
});

test('such a path comes from the registry once that has answered a copy of a request for it', () => {
    const late = { path: `/v2/team/app/blobs/sha256:${'b'.repeat(64)}` };
    failAlone(late);
    assert.equal(ask(200, late), SHUT);
    sendProbes(() => 307);
    assert.equal(ask(504, late), `https://${HOST}`);
    assert.equal(ask(200, late), SHUT);
    assert.equal(ask(200), `https://${HOST}`);
});

test('a missing image is not what a probe asks for', () => {
    const missing = { path: '/v2/team/app/manifests/missing' };
    ask(404, missing);
    ask(500);
    now += 5000;
    ask(500);
    assert.deepEqual(probed(), [`/-/probe-of-ecr/${HOST}/v2/team/app/manifests/sha256:a`]);
});

// `/v2/` is what ECR then answers with 200.
test('a repository that ECR refuses is not what a probe asks for', () => {
    const refused = request({
        path: '/v2/team/refused/manifests/sha256:b', upstream_addr: '192.0.2.1:443 : 192.0.2.1:443', upstream_status: '403 : 200',
        upstream_connect_time: '', ecr_upstream: `https://${HOST}`,
    });
    refused.variables.circuit_opening = '';
    refused.status = 403;
    ecr_upstream.recordOutcome(refused, false);
    ask(500);
    now += 5000;
    ask(500);
    assert.deepEqual(probed(), [`/-/probe-of-ecr/${HOST}/v2/team/app/manifests/sha256:a`]);
});

test('where what was served is broken now, the next probe is of what a client requests', () => {
    const good = { path: `/v2/team/app/manifests/sha256:${'c'.repeat(64)}` };
    ask(200, good);
    ask(500, good);
    for (const seconds of [5, 5]) {
        now += seconds * 1000;
        ask(200);
        sendProbes(path => path === `/${HOST}${good.path}` ? 500 : 200);
    }
    assert.equal(ask(200), `https://${HOST}`);
});

function probed() {
    return ngx.shared.circuit_probes.items(9).map(item => JSON.parse(item[1]).path);
}

function sendProbes(statusOf) {
    ngx.shared.circuit_probes.items(9).forEach(([name, probe]) => {
        const { path, opening } = JSON.parse(probe);
        ngx.shared.circuit_probes.delete(name);
        const copied = path.replace('/-/probe-of-ecr', '');
        ask(statusOf(copied), { path: copied.slice(HOST.length + 1) }, { 'X-Probe': opening });
    });
}
